// Cost against one size at a time, on the tiny shape: seconds of sampling and update, and per unit of work.
// npm run bench -- scale [--steps 5] [--threads 2] [--axis tokens,group,prompt,depth,prompts]
import { parseArgs } from "node:util";
import { trainingStep } from "@proximal/core";
import asciichart from "asciichart";
import { emit, median } from "./lib/measure.mjs";
import { openRun } from "./lib/run.mjs";
import { NEW_TOKENS, PROMPT_TOKENS, SHAPES } from "./lib/shapes.mjs";

const { values: o } = parseArgs({
  options: {
    steps: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    axis: { type: "string", default: "tokens,group,prompt,depth,prompts" },
  },
});

const base = { shape: SHAPES.tiny, promptTokens: PROMPT_TOKENS, newTokens: NEW_TOKENS };
const withShape = (change) => ({ ...base, shape: { ...base.shape, ...change } });
const deeper = (layers) => withShape({ architecture: { ...base.shape.architecture, num_hidden_layers: layers } });
const AXES = {
  tokens: { name: "new tokens", sizes: [16, 32, 64, 128], at: (newTokens) => ({ ...base, newTokens }) },
  group: { name: "group size", sizes: [4, 8, 16, 32], at: (group) => withShape({ group }) },
  prompt: { name: "prompt tokens", sizes: [16, 32, 64, 128], at: (promptTokens) => ({ ...base, promptTokens }) },
  depth: { name: "layers", sizes: [2, 4, 8, 16], at: deeper },
  prompts: { name: "prompts", sizes: [4, 8, 16, 32], at: (prompts) => withShape({ prompts }) },
};

async function measure({ shape, promptTokens, newTokens }) {
  const steps = Number(o.steps);
  const { run, close } = await openRun(shape, { steps: steps + 2, threads: Number(o.threads), promptTokens, newTokens });
  const records = [];
  for (let step = 0; step < steps + 2; step++) {
    const { metrics } = await trainingStep(run, step);
    if (step >= 2) records.push(metrics);
  }
  await close();
  return { sample: median(records.map((m) => m.secondsGenerate)), update: median(records.map((m) => m.secondsUpdate)) };
}

/** Values between two points on a line, so that the plot of a few points can be read. */
const stretched = (values, between = 16) =>
  values.flatMap((value, i) =>
    i + 1 === values.length ? [value] : Array.from({ length: between }, (_, k) => value + ((values[i + 1] - value) * k) / between),
  );

for (const axis of o.axis.split(",")) {
  const { name, sizes, at } = AXES[axis];
  const points = [];
  for (const size of sizes) {
    const seconds = await measure(at(size));
    points.push({ size, ...seconds });
    emit({ bench: "scale", axis, size, secondsSample: seconds.sample, secondsUpdate: seconds.update });
  }
  const [first] = points;
  console.log(`\n${name.padEnd(14)} sample s   update s   cost relative to the first, per unit of ${name}`);
  for (const { size, sample, update } of points) {
    const relative = (sample + update) / (first.sample + first.update) / (size / first.size);
    console.log(`${String(size).padEnd(14)} ${sample.toFixed(3).padEnd(10)} ${update.toFixed(3).padEnd(10)} ${relative.toFixed(2)}`);
  }
  const series = [points.map(({ sample }) => sample), points.map(({ update }) => update)].map((values) => stretched(values));
  console.log(
    `${asciichart.plot(series, { height: 8, colors: [asciichart.blue, asciichart.green] })}\n${name} ${sizes.join(", ")} (blue: sample, green: update)\n`,
  );
}
