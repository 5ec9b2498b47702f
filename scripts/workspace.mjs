// Writes the references of the root tsconfig.json: every workspace that has a tsconfig.json, and the tests that cross packages.
import { existsSync, readdirSync, writeFileSync } from "node:fs";

const packages = ["core", ...["adapters", "plugins"].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`)), "test"]
  .filter((path) => existsSync(`${path}/tsconfig.json`))
  .map((path) => ({ path }));
writeFileSync("tsconfig.json", `${JSON.stringify({ files: [], references: packages }, null, 2)}\n`);
