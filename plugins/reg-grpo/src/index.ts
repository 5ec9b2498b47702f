import { definePlugin } from "@proximal/core";
import { RegressionObjective } from "./objective.js";
import { DifficultySampler } from "./sampler.js";

export { RegressionObjective } from "./objective.js";
export { DifficultySampler } from "./sampler.js";

export default definePlugin({
  slug: "reg-grpo",
  title: "Reg-GRPO: regressive GRPO with difficulty-aware augmentation (DeepVideo-R1)",
  paper: {
    title: "DeepVideo-R1: Video Reinforcement Fine-Tuning via Difficulty-aware Regressive GRPO",
    year: 2025,
    arxiv: "2506.07464",
  },
  provenance: "a public paper note with the loss formulas read; the official code was not available",
  reconstructed: [
    "std guard and sample std of the log-ratios",
    "gradient through mean and std",
    "lengthNormalize",
    "weight of the KL term",
    "dead zone, slope and window of the augmentation",
    "augmentation of text: the path as a prefix of the response, masked words of a context",
  ],
  components: [RegressionObjective, DifficultySampler],
  algorithms: {
    "reg-grpo": {
      description: "Regression of normalised log-ratios on GRPO's advantages, prompts evened out in difficulty",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "reg-grpo", groupSize: 8 },
        advantage: { use: "group-normalized" },
        objective: { use: "reg-grpo" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.04, aggregation: "seq-mean-token-mean" }],
      },
    },
  },
});
