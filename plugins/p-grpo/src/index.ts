import { definePlugin } from "@proximal/core";
import { PosteriorReward } from "./reward.js";

export { PosteriorReward, posteriorReward } from "./reward.js";

export default definePlugin({
  slug: "p-grpo",
  title: "P-GRPO: posterior rewards of the reasoning process",
  paper: { title: "Posterior-GRPO: Rewarding Reasoning Processes in Code Generation", year: 2025, arxiv: "2508.05170" },
  provenance: "a secondary implementation that restates the formula and the abstract read; no official code was found",
  reconstructed: ["eps and sample std of the advantage", "clip and KL of the loss", "how the judge's grade maps to [0, 1]"],
  components: [PosteriorReward],
  algorithms: {
    "p-grpo": {
      description: "GRPO whose reward grades the thinking of right responses only; needs a judge",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "p-grpo", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", stdEps: 1e-6, groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.001 }],
      },
    },
  },
});
