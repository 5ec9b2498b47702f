import { definePlugin } from "@proximal/core";
import { EtrGate } from "./gate.js";

export { EtrGate } from "./gate.js";

export default definePlugin({
  slug: "etr",
  title: "ETR: Outcome-Guided Elastic Trust Regions",
  paper: { title: "ETR: Outcome-Guided Elastic Trust Regions for Policy Optimization", year: 2026, arxiv: "2601.03723" },
  provenance: "the abstract and a one-sentence summary of the limitations section; no code found",
  reconstructed: [
    "the formula of the widths: a micro factor linear in |A|, a macro factor linear in the group's reward variance, their product clamped",
    "all defaults",
    "the aggregation",
  ],
  components: [EtrGate],
  algorithms: {
    etr: {
      description: "GRPO whose clip is wider for strong advantages and for groups near one half solved",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "etr" },
      },
    },
  },
});
