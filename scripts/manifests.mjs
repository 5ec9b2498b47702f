// Writes manifest and option schemas of every workspace package, the published schemas, and the compiled checks of core's own. `--check` only compares.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { generate, outdated, writeGenerated } from "../core/dist/src/registry/author.js";
import { coreSchemas, publishedSchemas, writeCoreChecks } from "../core/dist/src/registry/published.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");
const settle = check ? outdated : writeGenerated;
const isPlugin = (folder) => {
  const file = join(folder, "package.json");
  return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).proximal !== undefined;
};
const inside = (name) => (existsSync(join(root, name)) ? readdirSync(join(root, name)).sort() : []).map((entry) => join(root, name, entry));

const changed = [];
const handle = (folder, files) => changed.push(...settle(folder, files).map((file) => relative(root, join(folder, file))));
try {
  const core = join(root, "core");
  handle(core, new Map([...(await generate(core)), ...coreSchemas()]));
  if (!check) writeCoreChecks();
  for (const folder of [...inside("adapters"), ...inside("plugins")].filter(isPlugin)) handle(folder, await generate(folder));
  handle(root, publishedSchemas(root));
} catch (error) {
  if (typeof error.describe !== "function") throw error;
  console.error(error.describe());
  process.exit(1);
}
for (const file of changed) console.log(`${check ? "out of date" : "written"}: ${file}`);
if (check && changed.length > 0) {
  console.error(`${changed.length} generated files are out of date: run \`npm run build\` and commit them`);
  process.exit(1);
}
