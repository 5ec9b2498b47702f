import { defineConformance } from "@proximal/core";
import { compareRewards, type Problem } from "./stability.js";

export default defineConformance({
  regularizer: (options, inputs) => {
    const { rewards1, rewards2, modelWeights, transition } = inputs as unknown as Omit<Problem, "rewards"> &
      Record<"rewards1" | "rewards2", Problem["rewards"]>;
    return compareRewards(rewards1, rewards2, { modelWeights, transition }, { alpha: 0.1, gamma: 0, tieTolerance: 1e-6, ...options });
  },
});
