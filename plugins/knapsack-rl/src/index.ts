import { definePlugin } from "@proximal/core";
import { KnapsackSampler } from "./sampler.js";

export { KnapsackSampler } from "./sampler.js";

export default definePlugin({
  slug: "knapsack-rl",
  title: "Knapsack RL: a rollout budget for each prompt",
  paper: {
    title: "Knapsack RL: Unlocking Exploration of LLMs via Optimizing Budget Allocation",
    year: 2025,
    arxiv: "2509.25849",
  },
  provenance: "a public module of the allocation, two third-party notes, the abstract and public reviews read; the paper's body not read",
  components: [KnapsackSampler],
  algorithms: {
    "knapsack-rl": {
      description: "GRPO on groups of unequal size: rollouts go where they most probably give a signal",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "knapsack-rl", rolloutsPerPrompt: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
