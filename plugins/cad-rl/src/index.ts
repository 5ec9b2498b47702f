import { definePlugin } from "@proximal/core";
import { FilteredAdvantage } from "./advantage.js";
import { CadGate } from "./gate.js";
import { CadReward } from "./reward.js";
import { PrecisionSampler } from "./sampler.js";

export { FilteredAdvantage } from "./advantage.js";
export { CadGate } from "./gate.js";
export { PRECISION_PATTERN, precisionWeights } from "./precision.js";
export { CadReward, cadReward } from "./reward.js";
export { PrecisionSampler } from "./sampler.js";

export default definePlugin({
  slug: "cad-rl",
  title: "CAD-RL: precise CAD code from wide trust regions and weighted tokens",
  paper: {
    title: "From Intent to Execution: Multimodal Chain-of-Thought Reinforcement Learning for Precise CAD Code Generation",
    year: 2025,
    arxiv: "2508.10118",
  },
  provenance: "a secondary implementation of eqs. 3–9 read; no official code was obtained",
  reconstructed: [
    "the three losses as one",
    "truncated responses left out of mean and std",
    "weights, penalty and heavy weight: those of the secondary code",
  ],
  components: [CadGate, FilteredAdvantage, CadReward, PrecisionSampler],
  algorithms: {
    "cad-rl": {
      description: "Absolute ratio bounds 0.6 and 1.8, heavy tokens for numbers and operations, overlong responses left out",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "cad-rl", groupSize: 8 },
        rewards: [{ use: "exact-match" }],
        advantage: { use: "cad-rl" },
        gate: { use: "cad-rl" },
      },
    },
  },
});
