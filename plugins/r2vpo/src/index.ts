import { definePlugin } from "@proximal/core";
import { R2vpoGate } from "./gate.js";
import { ReplaySampler } from "./sampler.js";

export { R2vpoGate } from "./gate.js";
export { ReplaySampler } from "./sampler.js";

export default definePlugin({
  slug: "r2vpo",
  title: "R2VPO: Ratio-Variance Regularized Policy Optimization",
  paper: { title: "Ratio-Variance Regularized Policy Optimization for Efficient LLM Fine-tuning", year: 2026, arxiv: "2601.03320" },
  provenance: "two third-party implementations of the penalty read; no official code",
  reconstructed: ["dual ascent (budget, step, ceiling)", "aggregation", "replay of earlier batches"],
  components: [R2vpoGate, ReplaySampler],
  algorithms: {
    r2vpo: {
      description: "GRPO's advantage, unclipped ratios under a budget for their variance",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "r2vpo-replay", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "r2vpo" },
      },
    },
  },
});
