// Trains inside of a program, with a reward that is a function of its own, and asks the trained policy.
import { evaluatePolicy, generate, openTarget, type RewardFunction, resolveConfig, train } from "@proximal/core";

const [steps = "60", output = "runs/library"] = process.argv.slice(2);
const config = resolveConfig({
  algorithm: "grpo",
  model: { checkpoint: "examples/arithmetic/model" },
  data: { train: "examples/arithmetic/data/level1.train.jsonl", eval: "examples/arithmetic/data/level1.eval.jsonl" },
  sampling: { maxTokens: 6 },
  sampler: { promptsPerStep: 32 },
  rewards: [{ use: "function", function: "sum" }],
  optimizer: { learningRate: 3e-4 },
  trainer: { steps: Number(steps) },
});
const sum: RewardFunction = ({ completion, answers }) => (completion.trim() === answers[0] ? 1 : 0);

await train(config, { rewards: { sum }, output, overwrite: true, onEvent: (e) => e.type === "step" && console.log(e.record.reward) });

const run = await openTarget(output, { rewards: { sum } });
const { overall, intervals } = await evaluatePolicy(run);
console.log(`held-out accuracy ${overall.accuracy}, 95 % interval ${intervals.accuracy}`);
for (const { prompt, text } of await generate(run, ["47+85="], { greedy: true })) console.log(prompt + text);
await run.close();
