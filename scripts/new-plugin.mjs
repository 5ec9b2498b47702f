// Creates the skeleton of a plugin package in this repository: npm run new-plugin -- SLUG "Title of the method"
import { mkdirSync, writeFileSync } from "node:fs";

const [slug, title] = process.argv.slice(2);
if (!/^[a-z0-9-]+$/.test(slug ?? "") || !title) {
  console.error('usage: npm run new-plugin -- SLUG "Title of the method"');
  process.exit(1);
}
const folder = `plugins/${slug}`;
for (const part of ["src", "test", "vectors"]) mkdirSync(`${folder}/${part}`, { recursive: true });
const write = (name, value) =>
  writeFileSync(`${folder}/${name}`, typeof value === "string" ? value : `${JSON.stringify(value, null, 2)}\n`);

const entry = (file) => ({ types: `./dist/src/${file}.d.ts`, default: `./dist/src/${file}.js` });
write("package.json", {
  name: `@proximal/plugin-${slug}`,
  version: "0.1.0",
  description: title,
  license: "MIT",
  type: "module",
  engines: { node: ">=20" },
  exports: { ".": entry("index"), "./conformance": entry("conformance") },
  files: ["dist/src", "manifest.json", "schemas", "vectors"],
  proximal: { manifest: "./manifest.json" },
  peerDependencies: { "@proximal/core": "0.1.0" },
});
write("tsconfig.json", {
  extends: "../../tsconfig.base.json",
  compilerOptions: { rootDir: ".", outDir: "dist" },
  include: ["src", "test"],
  references: [{ path: "../../core" }],
});
console.log(`created ${folder}; write src/index.ts, src/conformance.ts, test/ and README.md, then run npm run workspace && npm i`);
