// npm run bench -- NAME [options]: runs bench/NAME.mjs.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".mjs") && file !== "index.mjs")
  .map((file) => file.slice(0, -4));
const [name, ...rest] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join("|")} [options]`);
  process.exit(1);
}
// As the command line runs: garbage is collected early.
const flags = ["--heap-growing-percent=20"];
process.exit(spawnSync(process.execPath, [...flags, join(folder, `${name}.mjs`), ...rest], { stdio: "inherit" }).status ?? 1);
