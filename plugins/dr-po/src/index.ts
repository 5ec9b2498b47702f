import { definePlugin } from "@proximal/core";
import { DrPoAdvantage } from "./advantage.js";
import { DrPoGate } from "./gate.js";
import { DrPoSampler } from "./sampler.js";

export { DrPoAdvantage } from "./advantage.js";
export { DrPoGate } from "./gate.js";
export { rollinLength } from "./rollin.js";
export { DrPoSampler } from "./sampler.js";

export default definePlugin({
  slug: "dr-po",
  title: "DR-PO: Dataset Reset Policy Optimization",
  paper: { title: "Dataset Reset Policy Optimization for RLHF", year: 2024, arxiv: "2404.08495" },
  provenance: "official code read (trainer, and the roll-in of the authors' package that it imports); abstract read",
  components: [DrPoSampler, DrPoAdvantage, DrPoGate],
  algorithms: {
    "dr-po": {
      description: "PPO with a value head whose responses continue random prefixes of the reference responses",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "dr-po", promptsPerStep: 64 },
        advantage: { use: "dr-po" },
        gate: { use: "dr-po" },
        regularizers: [{ use: "value", valueClip: 0.2, valueCoef: 0.1 }],
        trainer: { epochs: 4 },
      },
    },
  },
});
