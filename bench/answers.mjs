// Seconds until the commands that only answer have answered, each a process of its own, with every package of this
// repository installed: one JSON line a command. node bench/answers.mjs [--repeats 10]
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { emit, spread } from "./lib/measure.mjs";

const { values: options } = parseArgs({ options: { repeats: { type: "string", default: "10" } } });
const root = join(import.meta.dirname, "..");
const commands = [["--help"], ["plugins"], ["validate", "examples/quickstart.yaml"]];

/** Seconds of one call. */
function call(args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return (performance.now() - start) / 1000;
}

const nothing = ["-e", "0"];
for (const args of [nothing, ...commands.map((command) => ["core/dist/src/cli/main.js", ...command])]) {
  call(args);
  const seconds = Array.from({ length: Number(options.repeats) }, () => call(args));
  emit({ command: args === nothing ? "node" : `proximal ${args.slice(1).join(" ")}`, seconds: spread(seconds) });
}
