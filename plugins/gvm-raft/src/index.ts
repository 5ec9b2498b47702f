import { type Composition, definePlugin } from "@proximal/core";
import { GvmAdvantage } from "./advantage.js";
import { GvmSampler } from "./sampler.js";
import { VanillaGate } from "./vanilla.js";

export { GvmAdvantage, raftAdvantages } from "./advantage.js";
export { allocationRatios, integerAllocation } from "./allocation.js";
export { GvmSampler } from "./sampler.js";
export { VanillaGate } from "./vanilla.js";

const compose = (estimator: "grpo" | "raft"): Composition => ({
  sampler: { use: "gvm-raft" },
  advantage: { use: "gvm-raft", estimator },
  gate: { use: "clip", clipLow: 0.2, clipHigh: 0.2, dualClip: 3 },
  regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.001 }],
});

export default definePlugin({
  slug: "gvm-raft",
  title: "GVM-RAFT: Gradient Variance Minimisation by dynamic sample allocation",
  paper: {
    title: "Optimizing Chain-of-Thought Reasoners via Gradient Variance Minimization in Rejection Sampling and RL",
    year: 2025,
    arxiv: "2505.02391",
  },
  provenance: "official code read (allocation, gradient estimation, training loop, losses); abstract read",
  reconstructed: ["the variance that the allocation minimises", "normalizeByAccepted"],
  components: [GvmSampler, GvmAdvantage, VanillaGate],
  algorithms: {
    "gvm-raft": {
      description: "GRPO on groups whose sizes follow acceptance rate and gradient norm of the prompts",
      aggregation: "token-mean",
      compose: compose("grpo"),
    },
    "gvm-raft@raft": {
      description: "RAFT++: accepted responses only, with importance ratio and clip, on the same groups",
      aggregation: "token-mean",
      compose: compose("raft"),
    },
  },
});
