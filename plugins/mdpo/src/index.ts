import { definePlugin } from "@proximal/core";
import { StandardisedGae } from "./advantage.js";
import { MirrorDescentGate } from "./gate.js";

export { StandardisedGae } from "./advantage.js";
export { actorLoss, exactKlLoss, softValue } from "./control.js";
export { MirrorDescentGate } from "./gate.js";

export default definePlugin({
  slug: "mdpo",
  title: "MDPO: Mirror Descent Policy Optimization",
  paper: { title: "Mirror Descent Policy Optimization", authors: "Tomar, Shani, Efroni, Ghavamzadeh", year: 2020, arxiv: "2005.09814" },
  provenance: "official code read (both variants, hyper-parameters)",
  reconstructed: ["token-level forms of the divergence (weighted, weightedShifted)", "floor of the step size"],
  components: [StandardisedGae, MirrorDescentGate],
  algorithms: {
    mdpo: {
      description: "On-policy mirror descent: ten steps a batch against a divergence whose weight grows over the run, value head, no clip",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 1, promptsPerStep: 64 },
        advantage: { use: "mdpo" },
        gate: { use: "mdpo" },
        regularizers: [{ use: "value", valueClip: 0.2 }],
        trainer: { epochs: 10 },
        optimizer: { maxGradNorm: 0.5, epsilon: 1e-5 },
      },
    },
  },
});
