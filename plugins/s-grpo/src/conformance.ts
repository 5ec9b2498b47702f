import { batchOfCase, completeOptions, defineConformance, defineExamples, GroupNormalizedAdvantage, runAdvantage } from "@proximal/core";
import { decayingRewards } from "./decay.js";
import { DecayingReward } from "./reward.js";

export default defineConformance({
  reward: (options, { correct, exitPosition, group }) => {
    const { decayBase } = completeOptions(DecayingReward, options) as { decayBase: number };
    const { groupRows } = batchOfCase({ correct, group });
    return { rewards: [...decayingRewards(correct as number[], exitPosition as number[], groupRows, decayBase)] };
  },
  advantage: ({ scale = "none", ...options }, { rewards, group }) =>
    runAdvantage(GroupNormalizedAdvantage, { ...options, scale, groupOfOne: "zero" }, { rewards, group }),
});

export const examples = defineExamples({
  // The exits of a group lie at different places.
  columns: (batch) => ({ exitPosition: Int32Array.from({ length: batch.rows }, (_, row) => batch.rows - row) }),
});
