// Memory over a long run: the tiny shape for many steps, with prompts of several lengths so that several shapes are visited.
// npm run bench -- long [--steps 500] [--shape tiny] [--threads 2] [--one-length]
import { parseArgs } from "node:util";
import { trainingStep } from "@proximal/core";
import { emit, median } from "./lib/measure.mjs";
import { openRun } from "./lib/run.mjs";
import { SHAPES } from "./lib/shapes.mjs";

const { values: o } = parseArgs({
  options: {
    steps: { type: "string", default: "500" },
    shape: { type: "string", default: "tiny" },
    threads: { type: "string", default: "2" },
    "one-length": { type: "boolean", default: false },
  },
});

const steps = Number(o.steps);
const { run, close } = await openRun(SHAPES[o.shape], { steps, threads: Number(o.threads), varyLengths: !o["one-length"] });
const memory = [];
const seconds = [];
for (let step = 0; step < steps; step++) {
  const { metrics } = await trainingStep(run, step);
  memory.push(process.memoryUsage.rss() / 1024 ** 2);
  seconds.push(metrics.seconds);
}
await close();
const window = Math.min(100, Math.floor(steps / 3));
const warmup = Math.min(20, Math.floor(steps / 10));
const [first, last] = [memory.slice(warmup, warmup + window), memory.slice(-window)].map(median);
emit({
  bench: "long",
  shape: o.shape,
  steps,
  window,
  rssMbFirst: first,
  rssMbLast: last,
  rssGrowth: last / first - 1,
  rssMbMax: Math.max(...memory),
  secondsPerStep: median(seconds),
});
