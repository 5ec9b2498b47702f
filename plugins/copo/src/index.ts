import { definePlugin } from "@proximal/core";
import { CopoAdvantage } from "./advantage.js";
import { CopoGate } from "./gate.js";

export { CopoAdvantage } from "./advantage.js";
export { CopoGate } from "./gate.js";

export default definePlugin({
  slug: "copo",
  title: "COPO: Consistency-Aware Policy Optimization",
  paper: { title: "COPO: Consistency-Aware Policy Optimization", year: 2025, url: "https://github.com/hijih/copo-code" },
  provenance: "official code read (advantage with global reward, actor update, blended loss)",
  components: [CopoAdvantage, CopoGate],
  algorithms: {
    copo: {
      description: "Local and global advantage, blended by the entropy of the group's answers",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "copo" },
        gate: { use: "copo" },
      },
    },
  },
});
