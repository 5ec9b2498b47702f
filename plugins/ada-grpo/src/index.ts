import { definePlugin } from "@proximal/core";
import { AdaReward } from "./reward.js";

export { AdaReward, diversityScale, formatOf } from "./reward.js";

export default definePlugin({
  slug: "ada-grpo",
  title: "Ada-GRPO: rewards that keep every reasoning format alive",
  paper: { title: "ARM: Adaptive Reasoning Model", year: 2025, arxiv: "2505.20258" },
  provenance: "official code read: advantage function and launch script",
  components: [AdaReward],
  algorithms: {
    "ada-grpo": {
      description: "GRPO with rewards multiplied by the rarity of the reasoning format, k3 KL of weight 0.001",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "ada-grpo", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", stdEps: 1e-6, groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.001 }],
      },
    },
  },
});
