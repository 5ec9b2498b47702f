import { definePlugin } from "@proximal/core";
import { IcpoAdvantage } from "./advantage.js";
import { IcpoGate } from "./gate.js";
import { IcpoReward } from "./reward.js";
import { IcpoSampler } from "./sampler.js";

export { IcpoAdvantage } from "./advantage.js";
export { IcpoGate } from "./gate.js";
export { decay, IcpoReward } from "./reward.js";
export { IcpoSampler } from "./sampler.js";

export default definePlugin({
  slug: "icpo",
  title: "ICPO: In-Context Steered Policy Optimization",
  paper: { title: "Think Outside the Policy: In-Context Steered Policy Optimization", year: 2025, arxiv: "2510.26519" },
  provenance: "official code read; excerpts of three third-party notes of the paper",
  reconstructed: ["rejected responses stay out of the group's mean and std (the code has no rejection)"],
  components: [IcpoSampler, IcpoReward, IcpoAdvantage, IcpoGate],
  algorithms: {
    icpo: {
      description: "GRPO with one response a group steered by a demonstration, rewarded by an annealed bonus",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "icpo", groupSize: 8 },
        rewards: [{ use: "icpo", inner: [{ use: "exact-match" }] }],
        advantage: { use: "icpo" },
        gate: { use: "icpo" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.001 }],
      },
    },
  },
});
