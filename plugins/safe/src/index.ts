import { type Composition, definePlugin } from "@proximal/core";
import { SafeAdvantage } from "./advantage.js";
import { SafeRegularizer } from "./regularizer.js";

export { SafeAdvantage } from "./advantage.js";
export { SafeRegularizer } from "./regularizer.js";

const compose = (penaltyForm: string): Composition => ({
  sampler: { use: "independent", groupSize: 1, promptsPerStep: 16 },
  advantage: { use: "safe" },
  gate: { use: "clip" },
  regularizers: [
    { use: "safe", penaltyForm },
    { use: "entropy", coefficient: 0.01 },
  ],
  trainer: { epochs: 2 },
});

export default definePlugin({
  slug: "safe",
  title: "SAFE: Stable Alignment Finetuning with Entropy-aware control",
  paper: { title: "SAFE: Stable Alignment Finetuning with Entropy-Aware Predictive Control for RLHF", year: 2026 },
  provenance: "official code read (ryyzn9/SAFE: controllers, critic, trainer)",
  reconstructed: [
    "penaltyForm: gradient, a penalty that acts",
    "the controller is called once a step with the mean KL of its updates, and acts in the next one",
    "heads on the state that predicts the last token, trained beside the policy; their learning rate",
  ],
  components: [SafeAdvantage, SafeRegularizer],
  algorithms: {
    safe: {
      description: "PPO with a double soft-min critic and the entropy-aware KL controller as coded (its penalty has no gradient)",
      aggregation: "token-mean",
      compose: compose("constant"),
    },
    "safe@gradient": {
      description: "The same with a penalty that acts on the policy",
      aggregation: "token-mean",
      compose: compose("gradient"),
    },
  },
});
