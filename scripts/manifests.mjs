// Writes manifest and option schemas of every workspace package, and the published schemas. `--check` only compares.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import "reflect-metadata";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { generate, outdated, writeGenerated } = await import("../core/dist/src/registry/author.js");
const { coreSchemas, publishedSchemas } = await import("../core/dist/src/registry/published.js");

const check = process.argv.includes("--check");
const workspaces = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  .workspaces.flatMap((pattern) =>
    pattern.endsWith("/*")
      ? (existsSync(join(root, pattern.slice(0, -2))) ? readdirSync(join(root, pattern.slice(0, -2))).sort() : []).map((name) => join(root, pattern.slice(0, -2), name))
      : [join(root, pattern)],
  )
  .filter((folder) => existsSync(join(folder, "package.json")) && JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).proximal?.manifest);

let changed = [];
const settle = (folder, files) => {
  changed = changed.concat((check ? outdated : writeGenerated)(folder, files).map((file) => relative(root, join(folder, file))));
};
try {
  for (const folder of workspaces) {
    const files = new Map(await generate(folder));
    if (folder === join(root, "core")) for (const [file, text] of coreSchemas()) files.set(file, text);
    settle(folder, files);
  }
  settle(root, publishedSchemas(root));
} catch (error) {
  if (typeof error.describe !== "function") throw error;
  console.error(error.describe());
  process.exit(1);
}
for (const file of changed) console.log(`${check ? "out of date" : "written"}: ${file}`);
if (check && changed.length > 0) {
  console.error(`\n${changed.length} generated files are out of date: run \`npm run build\` and commit them`);
  process.exit(1);
}
