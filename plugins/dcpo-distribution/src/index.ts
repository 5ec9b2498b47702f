import { definePlugin } from "@proximal/core";
import { DcpoAdvantage } from "./advantage.js";
import { EntropyMeter } from "./entropy-meter.js";

export { DcpoAdvantage } from "./advantage.js";
export { EntropyMeter } from "./entropy-meter.js";

export default definePlugin({
  slug: "dcpo-distribution",
  title: "DCPO: Distribution-Centric Policy Optimization",
  paper: { title: "Distribution-Centric Policy Optimization Dominates Exploration-Exploitation Trade-off", year: 2026 },
  provenance: "official code read (597358816/DCPO: trainer, script, tables)",
  reconstructed: ["no correct response in the batch: the blend is left out, where the code divides by zero"],
  components: [DcpoAdvantage, EntropyMeter],
  algorithms: {
    "dcpo-distribution": {
      description: "GRPO blended with a policy gradient on correct responses that steers the entropy to a target; dual clip 3",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "dcpo-distribution" },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.2, dualClip: 3 },
        regularizers: [{ use: "dcpo-distribution" }],
      },
    },
  },
});
