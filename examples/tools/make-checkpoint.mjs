// Trains the warm start and puts its model where the examples look for it: node examples/tools/make-checkpoint.mjs
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveConfig, sft } from "@proximal/core";

const here = fileURLToPath(new URL(".", import.meta.url));
const config = resolveConfig(join(here, "warm-start.yaml"), { set: process.argv.slice(2) });
await sft(config, {
  overwrite: true,
  onEvent: (event) => event.type === "evaluation" && console.log(`step ${event.step}: loss ${event.metrics.loss.toFixed(3)}`),
});
rmSync(join(here, "model"), { recursive: true, force: true });
cpSync(join(config.output, "model"), join(here, "model"), { recursive: true });
