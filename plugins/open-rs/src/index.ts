import { definePlugin } from "@proximal/core";
import { OpenRsReward } from "./reward.js";

export { cosineRewards, formatReward, OpenRsReward, totalRewards } from "./reward.js";

export default definePlugin({
  slug: "open-rs",
  title: "Open-RS: reinforcement learning for reasoning in small language models",
  paper: {
    title: "Reinforcement Learning for Reasoning in Small LLMs: What Works and What Doesn't",
    year: 2025,
    arxiv: "2503.16219",
  },
  provenance: "official code read: rewards, script arguments, training config; the loss is recalled from the TRL version of the time",
  components: [OpenRsReward],
  algorithms: {
    "open-rs": {
      description: "GRPO in groups of 6 with a format and a cosine length reward, k3 KL of weight 0.04",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 6 },
        rewards: [{ use: "open-rs", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", stdEps: 1e-4, groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.04 }],
      },
    },
  },
});
