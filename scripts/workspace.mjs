// Writes the references of the root tsconfig.json: every workspace that has a tsconfig.json, the tests that cross packages and the examples.
import { existsSync, readdirSync, writeFileSync } from "node:fs";

const packages = [
  "core",
  ...["adapters", "plugins"].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`)),
  "test",
  "examples",
]
  .filter((path) => existsSync(`${path}/tsconfig.json`))
  .map((path) => ({ path }));
writeFileSync("tsconfig.json", `${JSON.stringify({ files: [], references: packages }, null, 2)}\n`);
