import { definePlugin } from "@proximal/core";
import { LocalEntropy } from "./regularizer.js";
import { DiversityReward } from "./reward.js";

export { diversityRewards, groupDiversity } from "./diversity.js";
export { formulasOf } from "./formulas.js";
export { LocalEntropy } from "./regularizer.js";
export { DiversityReward } from "./reward.js";

export default definePlugin({
  slug: "dsdr",
  title: "DSDR: dual-scale diversity regularization",
  paper: {
    title: "DSDR: Dual-Scale Diversity Regularization for Exploration in LLM Reasoning",
    authors: "Wan, Shen, Dou et al.",
    year: 2026,
    arxiv: "2602.19895",
  },
  provenance: "paper read: method section (eqs. 4–16), main results, sensitivity study; not the official code",
  reconstructed: ["values of the diversity clip and of the allocation scale", "how expressions are found in a response"],
  components: [DiversityReward, LocalEntropy],
  algorithms: {
    dsdr: {
      description: "GRPO with a diversity bonus for right responses and an entropy term shared out by diversity; needs embeddings",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "dsdr", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
        regularizers: [{ use: "dsdr" }, { use: "kl", klEstimator: "k3", coefficient: 0.001 }],
      },
    },
  },
});
