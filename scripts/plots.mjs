// Writes the plot of every installed gate beside its README, and docs/gates.md that shows them all: npm run plots [-- --check]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gateCurve, gateSvg, openGate } from "../adapters/plots/dist/src/index.js";
import { discover } from "../core/dist/src/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const files = new Map();
const shown = [];
const left = [];
const missing = [];

const installed = discover([root]);
for (const { package: owner, component } of installed.componentsOf("gate")) {
  const { id, description } = component;
  const folder = relative(root, owner.folder);
  const isPlugin = folder.startsWith("plugins/");
  const guide = isPlugin ? `[${owner.manifest.name}](../${folder}/README.md)` : `\`${owner.manifest.name}\``;
  try {
    const file = isPlugin ? `${folder}/gate-${id}.svg` : `docs/gate-${id}.svg`;
    files.set(file, gateSvg([gateCurve(await openGate(id, { cwd: root, asAlgorithm: false, installed }))]));
    shown.push(`## ${id}\n\n${description} (${guide})\n\n![Surrogate and derivative of the gate ${id}](${relative("docs", file)})`);
    if (isPlugin && !readFileSync(join(root, folder, "README.md"), "utf8").includes(`(gate-${id}.svg)`)) {
      missing.push(`${folder}/README.md does not show gate-${id}.svg`);
    }
  } catch (error) {
    if (typeof error.describe !== "function") throw error;
    left.push(`- \`${id}\` (${guide}): ${error.message}`);
  }
}

files.set(
  "docs/gates.md",
  `# Gates

Surrogate (what the gate lets the policy maximise, less its loss) and its derivative against the ratio, for an advantage of 1 and of
-1, with default options. Each plot is evaluated in float64 from the expressions that a run executes; the line below it says in what
context. Where a gate stops gradients, the derivative shown is the one that is applied: -(d loss / d logp) / ratio.

\`proximal plot gate sapo clip:clipHigh=0.28\` shows gates with other options in the terminal, with \`-o FILE.svg\` or
\`-o FILE.html\` in a file (package \`@proximal/plots\`). Written by \`npm run plots\`.

${shown.join("\n\n")}

## Not plotted

${left.join("\n")}
`,
);

const outdated = [...files].filter(([file, text]) => !existsSync(join(root, file)) || readFileSync(join(root, file), "utf8") !== text);
if (process.argv.includes("--check")) {
  for (const [file] of outdated) console.error(`${file} is out of date: run npm run plots`);
} else for (const [file, text] of outdated) writeFileSync(join(root, file), text);
for (const line of missing) console.error(line);
if (missing.length > 0 || (process.argv.includes("--check") && outdated.length > 0)) process.exit(1);
