import { definePlugin } from "@proximal/core";
import { VarianceAwareSampler } from "./sampler.js";

export { VarianceAwareSampler } from "./sampler.js";

export default definePlugin({
  slug: "mmr1-vas",
  title: "MMR1: variance-aware sampling",
  paper: {
    title: "MMR1: Enhancing Multimodal Reasoning with Variance-Aware Sampling and Open Resources",
    year: 2025,
    url: "https://github.com/LengSicong/MMR1",
  },
  provenance: "technical report and official code read; where they differ (self-BLEU's sign, padding, momentum) the report is followed",
  components: [VarianceAwareSampler],
  algorithms: {
    "mmr1-vas": {
      description: "GRPO with a KL term; half of each batch is drawn by outcome variance and diversity of probe responses",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "mmr1-vas", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.01 }],
      },
    },
  },
});
