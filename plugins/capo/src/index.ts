import { definePlugin } from "@proximal/core";
import { CapoGate } from "./gate.js";

export { CapoGate } from "./gate.js";

export default definePlugin({
  slug: "capo",
  title: "CAPO: Curvature-Aware Policy Optimization",
  paper: {
    title: "Stabilizing Policy Gradients for Sample-Efficient Reinforcement Learning in LLM Reasoning",
    year: 2025,
    arxiv: "2510.00819",
  },
  provenance: "official code read (curvature terms, masks, Adam model, configurations)",
  reconstructed: ["a sampled token outside the top candidates replaces the last of them"],
  components: [CapoGate],
  algorithms: {
    capo: {
      description: "GRPO's advantage, tokens with a large predicted shift dropped in front of the clip",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "capo" },
      },
    },
  },
});
