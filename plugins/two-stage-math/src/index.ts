import { definePlugin } from "@proximal/core";
import { TwoStageReward } from "./reward.js";

export { formatReward, TwoStageReward, twoStageRewards } from "./reward.js";

export default definePlugin({
  slug: "two-stage-math",
  title: "Fast-Math-R1: a two-stage recipe for mathematical language models",
  paper: {
    title: "A Practical Two-Stage Recipe for Mathematical LLMs: Maximizing Accuracy with SFT and Efficiency with Reinforcement Learning",
    year: 2025,
    arxiv: "2507.08267",
  },
  provenance: "official code read: rewards, scripts of both stages, loss of the trainer",
  components: [TwoStageReward],
  algorithms: {
    "two-stage-math": {
      description: "Second stage: a short GRPO phase with format, cosine and length rewards, k3 KL of weight 0.04",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "two-stage-math", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", stdEps: 1e-4, groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.04 }],
      },
    },
  },
});
