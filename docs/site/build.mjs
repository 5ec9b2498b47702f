// Gathers the pages of the site in content/: guides, the reference from the docstrings of @proximal/core, the command line's own
// help, and every plugin's README. `npm run build` here makes static files of them in content/.vitepress/dist.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const content = join(import.meta.dirname, "content");
const CLI = join(root, "core/dist/src/cli/main.js");
if (!existsSync(CLI)) {
  console.error("build the project first: npm ci && npm run build");
  process.exit(1);
}

/** Pages by their file in the project. */
const GUIDES = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const pages = new Map([
  ["README.md", "start.md"],
  ["CONTRIBUTING.md", "contributing.md"],
  ["bench/README.md", "bench.md"],
  ...GUIDES.map((name) => [`docs/${name}`, `guide/${name}`]),
  ...["adapters", "plugins", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => existsSync(join(root, folder, name, "README.md")))
      .map((name) => [`${folder}/${name}/README.md`, `${folder}/${name}.md`]),
  ),
]);
if (existsSync(join(root, "docs/runs"))) {
  for (const name of readdirSync(join(root, "docs/runs"))) {
    if (existsSync(join(root, "docs/runs", name, "README.md"))) pages.set(`docs/runs/${name}/README.md`, `runs/${name}.md`);
  }
}

/** Links between files of the project become links between pages; other files and pictures come with the site. */
function relink(text, from, to) {
  return text.replace(/\]\((?!https?:|#)([^)#\s<]+)(#[^)]*)?\)/g, (all, link, anchor = "") => {
    const target = relative(root, join(root, dirname(from), link));
    const page = pages.get(target) ?? pages.get(join(target, "README.md"));
    if (page !== undefined) return `](${relative(dirname(to), page).replace(/^(?!\.)/, "./")}${anchor})`;
    if (!existsSync(join(root, target))) return all;
    const copy = join(content, "public", target);
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(join(root, target), copy, { recursive: true });
    return `](/${target})`;
  });
}

/** Outside of code, braces and angle brackets are text, not template syntax. */
const escaped = (text) =>
  text
    .split(/(^```[\s\S]*?^```|`[^`\n]*`)/m)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part.replace(/\{\{/g, "&#123;&#123;").replace(/<(?=[\w/])(?!\/?(?:br|img|sub|sup|details|summary|p|b|i)\b)/g, "&lt;"),
    )
    .join("");

rmSync(content, { recursive: true, force: true });
const write = (path, text) => {
  mkdirSync(join(content, dirname(path)), { recursive: true });
  writeFileSync(join(content, path), text);
};
for (const [from, to] of pages) write(to, escaped(relink(readFileSync(join(root, from), "utf8"), from, to)));

const help = (...command) => execFileSync(process.execPath, [CLI, ...command, "--help"], { cwd: root, encoding: "utf8" });
const commandsOf = (text) =>
  [...(text.split(/^Commands:$/m)[1] ?? "").matchAll(/^ {2}([a-z][a-z-]*)(?= |$)/gm)]
    .map((match) => match[1])
    .filter((name) => name !== "help");
const sections = [];
function describe(command) {
  const text = help(...command);
  sections.push(`## proximal ${command.join(" ")}\n\n\`\`\`text\n${text.trim()}\n\`\`\`\n`);
  for (const inner of commandsOf(text)) describe([...command, inner]);
}
const top = help();
for (const command of commandsOf(top)) describe([command]);
write("cli.md", `# Command line\n\n\`\`\`text\n${top.trim()}\n\`\`\`\n\n${sections.join("\n")}`);

execFileSync(
  join(import.meta.dirname, "node_modules/.bin/typedoc"),
  ["--options", join(import.meta.dirname, "typedoc.json"), "--out", join(content, "reference")],
  { cwd: root, stdio: "inherit" },
);

write(
  "index.md",
  `---
layout: home
hero:
  name: Proximal
  text: Policy optimization in TypeScript
  tagline: A method is written once, as its equation. Differentiated, fused with the policy, run by ONNX Runtime. No Python.
  actions:
    - { theme: brand, text: Start in five minutes, link: /start }
    - { theme: alt, text: Write your first gate, link: /guide/first-gate }
    - { theme: alt, text: All methods, link: /guide/plugins }
features:
  - { title: Every paper a package, details: "A run installs only what its config names. Conventions that differ between projects are declared options.", link: /guide/plugins }
  - { title: Golden vectors, details: "Loss and gradient of each method are checked against exact cases, and against finite differences.", link: /guide/extension-points }
  - { title: Bit for bit, details: "Equal seeds give equal runs; a run that was killed continues with the same bytes.", link: /guide/runs }
---
`,
);

const title = (path) => /^# (.*)$/m.exec(readFileSync(join(content, path), "utf8"))?.[1].replace(/`/g, "") ?? path;
const item = (path) => ({ text: title(path), link: `/${path.replace(/\.md$/, "")}` });
const under = (folder) =>
  existsSync(join(content, folder))
    ? readdirSync(join(content, folder))
        .filter((name) => name.endsWith(".md"))
        .map((name) => `${folder}/${name}`)
    : [];
const FIRST = ["concepts", "first-gate", "from-trl", "extension-points", "runs", "data", "errors"].map((name) => `guide/${name}.md`);
const guides = [...FIRST, ...under("guide").filter((path) => !FIRST.includes(path))];
const sidebar = [
  { text: "Start", items: ["start.md", "cli.md"].map(item) },
  { text: "Guides", items: guides.map(item) },
  { text: "Runs", items: under("runs").map(item), collapsed: true },
  { text: "Examples", items: under("examples").map(item), collapsed: true },
  { text: "Packages", items: under("adapters").map(item), collapsed: true },
  { text: "Methods", items: under("plugins").map((path) => ({ ...item(path), text: path.slice("plugins/".length, -3) })), collapsed: true },
  { text: "Project", items: ["contributing.md", "bench.md"].map(item) },
  { text: "API", items: [{ text: "@proximal/core", link: "/reference/" }] },
].filter(({ items }) => items.length > 0);
write(
  ".vitepress/config.mjs",
  `export default ${JSON.stringify(
    {
      title: "Proximal",
      description: "Policy optimization in TypeScript",
      cleanUrls: false,
      themeConfig: {
        sidebar,
        outline: [2, 3],
        search: { provider: "local" },
        nav: [
          { text: "Start", link: "/start" },
          { text: "Methods", link: "/guide/plugins" },
          { text: "API", link: "/reference/" },
        ],
      },
    },
    null,
    2,
  )};\n`,
);
console.log(`${pages.size} pages, ${sections.length} commands`);
