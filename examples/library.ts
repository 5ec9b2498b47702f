import { generate, openTarget, resolveConfig, train } from "@proximal/core";

const [steps = "60", output = "runs/library"] = process.argv.slice(2);
const config = resolveConfig({
  algorithm: "grpo",
  model: { checkpoint: "examples/arithmetic/model" },
  data: { train: "examples/arithmetic/data/level1.train.jsonl", eval: "examples/arithmetic/data/level1.eval.jsonl" },
  sampling: { maxTokens: 6 },
  sampler: { promptsPerStep: 32 },
  rewards: [{ use: "exact-match" }],
  optimizer: { learningRate: 3e-4 },
  trainer: { steps: Number(steps) },
});

const summary = await train(config, {
  output,
  overwrite: true,
  onEvent: (event) => event.type === "step" && console.log(event.record.step, event.record.reward),
});
console.log(`held-out accuracy: ${summary?.evalAccuracyStart} before, ${summary?.evalAccuracyEnd} after`);

const run = await openTarget(output);
for (const { prompt, text } of await generate(run, ["47+85="], { greedy: true })) console.log(prompt + text);
await run.policy.close();
