import { definePlugin } from "@proximal/core";
import { MhpoGate } from "./gate.js";

export { MhpoGate } from "./gate.js";

export default definePlugin({
  slug: "mhpo",
  title: "MHPO: Modulated Hazard-aware Policy Optimization",
  paper: {
    title: "MHPO: Modulated Hazard-aware Policy Optimization for Stable Reinforcement Learning",
    year: 2026,
    arxiv: "2603.16929",
  },
  provenance: "a third-party implementation report for verl and an independent paper note, which agree; no official code found",
  components: [MhpoGate],
  algorithms: {
    mhpo: {
      description: "GRPO's advantage with a smoothly bounded, hazard-damped ratio in place of a clip",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "mhpo" },
      },
    },
  },
});
