import { definePlugin } from "@proximal/core";
import { RladGate } from "./gate.js";

export { RladGate } from "./gate.js";

export default definePlugin({
  slug: "rlad",
  title: "RLAD: Reinforcement-aware Knowledge Distillation",
  paper: { title: "Reinforcement-aware Knowledge Distillation for LLM Reasoning", year: 2026, arxiv: "2602.22495" },
  provenance: "a third-party reading of the paper with its appendices, a survey note and a summary; neither code nor paper read",
  reconstructed: ["where the clamp of the log-ratio acts", "default of alpha", "aggregation"],
  components: [RladGate],
  algorithms: {
    rlad: {
      description: "GRPO's advantage, ratios anchored on a mixture of the old policy and a teacher",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "rlad" },
      },
    },
  },
});
