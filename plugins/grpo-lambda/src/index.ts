import { definePlugin } from "@proximal/core";
import { LambdaReward } from "./reward.js";

export { LambdaReward } from "./reward.js";

export default definePlugin({
  slug: "grpo-lambda",
  title: "GRPO-λ: length rewards for the groups that already succeed",
  paper: { title: "Stable Reinforcement Learning for Efficient Reasoning", year: 2025 },
  provenance: "the paper's text and a secondary implementation read",
  reconstructed: ["kind and guard of the std in the advantage"],
  components: [LambdaReward],
  algorithms: {
    "grpo-lambda": {
      description: "GRPO with a length reward in the groups of the batch that succeed most",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "grpo-lambda", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
      },
    },
  },
});
