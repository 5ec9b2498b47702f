// End-to-end GRPO steps on random weights: sample, reward, advantage, one update.
// npm run bench -- step [--shape tiny|small|smollm2] [--steps 12] [--warmup 2] [--threads 2] [--workers auto] [--execution auto] [--recompute none]
//                       [--micro-batch-tokens auto]
import { parseArgs } from "node:util";
import { trainingStep } from "@proximal/core";
import { emit, matmulPeak, median, peakMemory, spread } from "./lib/measure.mjs";
import { openRun } from "./lib/run.mjs";
import { NEW_TOKENS, PROMPT_TOKENS, SHAPES, trainingFlops } from "./lib/shapes.mjs";

const { values: o } = parseArgs({
  options: {
    shape: { type: "string", default: "tiny" },
    steps: { type: "string", default: "12" },
    warmup: { type: "string", default: "2" },
    threads: { type: "string", default: "2" },
    workers: { type: "string", default: "auto" },
    execution: { type: "string", default: "auto" },
    recompute: { type: "string", default: "none" },
    "micro-batch-tokens": { type: "string", default: "auto" },
    "no-peak": { type: "boolean", default: false },
  },
});

for (const name of o.shape.split(",")) {
  const shape = SHAPES[name];
  if (shape === undefined) throw new Error(`no shape "${name}"; there are ${Object.keys(SHAPES).join(", ")}`);
  const [steps, warmup, threads] = [Number(o.steps), Number(o.warmup), Number(o.threads)];
  const microBatchTokens = o["micro-batch-tokens"] === "auto" ? "auto" : Number(o["micro-batch-tokens"]);
  const workers = o.workers === "auto" ? "auto" : Number(o.workers);
  const engine = { workers, execution: o.execution, recompute: o.recompute, microBatchTokens };
  const { run, policy, close } = await openRun(shape, { steps, threads, engine });
  const records = [];
  for (let step = 0; step < steps; step++) {
    const { metrics } = await trainingStep(run, step);
    if (step >= warmup) records.push(metrics);
  }
  await close();
  const rss = peakMemory();
  // After the run, so that its matrices do not count as the run's memory.
  const peak = o["no-peak"] ? Number.NaN : await matmulPeak({ threads });
  const of = (field) => records.map((metrics) => metrics[field]);
  const update = median(of("secondsUpdate"));
  const phases = ["secondsGenerate", "secondsReward", "secondsScore", "secondsUpdate"];
  const flops = trainingFlops(shape);
  const seconds = spread(of("seconds"));
  const rows = shape.prompts * shape.group;
  emit({
    bench: "step",
    shape: name,
    parameters: policy.info.parameters,
    rows,
    promptTokens: PROMPT_TOKENS,
    newTokens: NEW_TOKENS,
    threads,
    steps: records.length,
    secondsPerStep: seconds.median,
    secondsPerStepMin: seconds.min,
    secondsPerStepMax: seconds.max,
    tokensPerSecond: (rows * NEW_TOKENS) / seconds.median,
    ...Object.fromEntries(phases.map((phase) => [phase, median(of(phase))])),
    secondsOther: median(records.map((metrics) => metrics.seconds - phases.reduce((sum, phase) => sum + metrics[phase], 0))),
    updateGflops: flops / update / 1e9,
    updateGflopsBest: flops / Math.min(...of("secondsUpdate")) / 1e9,
    matmulPeakGflops: peak,
    updateShareOfPeak: flops / update / 1e9 / peak,
    updateShareOfPeakBest: flops / Math.min(...of("secondsUpdate")) / 1e9 / peak,
    peakRssGb: rss,
  });
}
