import { definePlugin } from "@proximal/core";
import { EditGate } from "./gate.js";
import { EtconReward, SemanticEtconReward } from "./reward.js";
import { DemonstrationSampler } from "./sampler.js";

export { EditGate } from "./gate.js";
export { cleanliness, consistency, correctness, formatScore, grade, normalizeAnswer } from "./grade.js";
export { EtconReward, SemanticEtconReward } from "./reward.js";
export { DemonstrationSampler } from "./sampler.js";

export default definePlugin({
  slug: "etcon",
  title: "EtCon: edit, then consolidate",
  paper: { title: "EtCon: Edit-then-Consolidate for Reliable Knowledge Editing", year: 2025, arxiv: "2512.04753" },
  provenance:
    "official code of the consolidation stage read (reward, loss, config); the edit stage from the official PSFT code and the paper",
  reconstructed: ["clip bounds of the edit stage: those of the PSFT script"],
  components: [EditGate, EtconReward, SemanticEtconReward, DemonstrationSampler],
  algorithms: {
    etcon: {
      description: "Consolidation: GRPO on edited facts with EtCon's reward, clip 0.2/0.3, dual clip 3, k3 KL of weight 0.01",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 10 },
        rewards: [{ use: "etcon" }],
        advantage: { use: "group-normalized", stdEps: 1e-6 },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.3, dualClip: 3 },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.01 }],
      },
    },
    "etcon@edit": {
      description: "Edit: clipped supervised steps on target texts, 64 a batch in 8 updates",
      aggregation: "token-mean",
      compose: { sampler: { use: "etcon" }, gate: { use: "etcon" }, trainer: { miniBatches: 8 } },
    },
  },
});
