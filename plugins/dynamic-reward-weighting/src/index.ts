import { definePlugin } from "@proximal/core";
import { DynamicReward } from "./reward.js";

export { DynamicReward } from "./reward.js";

export default definePlugin({
  slug: "dynamic-reward-weighting",
  title: "Dynamic reward weighting for multi-objective alignment",
  paper: { title: "Learning to Optimize Multi-Objective Alignment Through Dynamic Reward Weighting", year: 2025, arxiv: "2509.11452" },
  provenance: "official code read (both trainers, hypervolume, reward components, launch scripts)",
  components: [DynamicReward],
  algorithms: {
    "dynamic-reward-weighting": {
      description:
        "Centred group rewards without a std, several objectives scaled by the growth of their Pareto front, k3 KL of weight 0.001",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [
          {
            use: "dynamic-reward-weighting",
            rewardWeights: [0.8, 0.2],
            maximize: [true, true],
            inner: [{ use: "exact-match" }, { use: "format", pattern: "^\\S+$" }],
          },
        ],
        advantage: { use: "group-normalized", scale: "none" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.001 }],
      },
    },
  },
});
