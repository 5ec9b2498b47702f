import { definePlugin } from "@proximal/core";
import { GtpoAdvantage } from "./advantage.js";
import { GtpoGate } from "./gate.js";

export { GtpoAdvantage } from "./advantage.js";
export { GtpoGate } from "./gate.js";

export default definePlugin({
  slug: "gtpo",
  title: "GTPO: Group-relative Trajectory-based Policy Optimization",
  paper: {
    title: "GTPO: Trajectory-Based Policy Optimization in Large Language Models",
    authors: "Simoni, Fontana, Rossolini, Saracino",
    year: 2025,
    arxiv: "2508.03772",
  },
  provenance: "official code read (training module, config, README with the objective)",
  components: [GtpoAdvantage, GtpoGate],
  algorithms: {
    gtpo: {
      description: "Conflict-aware, entropy-filtered advantages with an unclipped on-policy gradient",
      compose: { sampler: { use: "independent", groupSize: 8 }, advantage: { use: "gtpo" }, gate: { use: "gtpo" } },
    },
  },
});
