import { definePlugin } from "@proximal/core";
import { DcpoAdvantage } from "./advantage.js";
import { DcpoGate } from "./gate.js";

export { DcpoAdvantage, type DcpoState } from "./advantage.js";
export { DcpoGate } from "./gate.js";
export { merged, type PromptHistory, smoothAdvantages } from "./history.js";

export default definePlugin({
  slug: "dcpo",
  title: "DCPO: Dynamic Clipping Policy Optimization",
  paper: { title: "DCPO: Dynamic Clipping Policy Optimization", year: 2025, arxiv: "2509.02333" },
  provenance: "official repository read: README with formulas, loss and advantage code",
  reconstructed: ["the mean over prompts in the aggregation otm"],
  components: [DcpoAdvantage, DcpoGate],
  algorithms: {
    dcpo: {
      description: "Clip bounds by the old probability of each token, advantages smoothed over the visits of a prompt",
      aggregation: "otm",
      compose: { sampler: { use: "independent", groupSize: 8 }, advantage: { use: "dcpo" }, gate: { use: "dcpo" } },
    },
  },
});
