// Writes docs/plugins.md from the manifests of the plugins: npm run catalogue [-- --check]
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const FILE = "docs/plugins.md";
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const manifests = readdirSync("plugins")
  .sort()
  .map((slug) => `plugins/${slug}/manifest.json`)
  .filter((path) => existsSync(path))
  .map(read);

const list = (items) => items.map((item) => `\`${item}\``).join(", ") || "–";
const cite = ({ title, authors, year, arxiv }) =>
  [authors, `*${title}*`, year, arxiv && `[${arxiv}](https://arxiv.org/abs/${arxiv})`].filter(Boolean).join(", ");

const rows = manifests.map(({ slug, title, algorithms = {}, components = [] }) => {
  const points = components.map(({ point, id }) => `${point} \`${id}\``).join(", ") || "presets over builtins";
  return `| [${slug}](#${slug}) | ${title.replace(/^[^:]*: /, "")} | ${points} | ${list(Object.keys(algorithms))} |`;
});

const sections = manifests.map(({ slug, title, name, paper, provenance, reconstructed = [], algorithms = {}, components = [] }) =>
  [
    `## ${slug}`,
    `**${title}**${paper ? `. ${cite(paper)}` : ""}`,
    `\`npm i ${name}\` · [README](../plugins/${slug}/README.md)`,
    ...Object.entries(algorithms).map(([id, { description }]) => `- algorithm \`${id}\`: ${description}`),
    ...components.map(({ point, id, description, conventions = {} }) => {
      const facts = Object.entries(conventions).map(([key, value]) => `${key}: ${value}`);
      return `- ${point} \`${id}\`: ${description ?? ""}${facts.length > 0 ? ` (${facts.join("; ")})` : ""}`;
    }),
    `- provenance: ${provenance}`,
    ...(reconstructed.length > 0 ? [`- *(reconstructed)*: ${reconstructed.join("; ")}`] : []),
  ]
    .join("\n\n")
    .replaceAll("\n\n- ", "\n- ")
    .replace("\n- ", "\n\n- "),
);

const text = `# Plugins

Written from the manifests by \`npm run catalogue\`. \`proximal plugins\` lists what is installed.

| plugin | method | components | algorithms |
|---|---|---|---|
${rows.join("\n")}

${sections.join("\n\n")}
`;

if (process.argv.includes("--check")) {
  if (!existsSync(FILE) || readFileSync(FILE, "utf8") !== text) {
    console.error(`${FILE} is out of date: run npm run catalogue`);
    process.exit(1);
  }
} else writeFileSync(FILE, text);
