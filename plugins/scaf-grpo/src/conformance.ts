import { completeOptions, defineConformance, GroupNormalizedAdvantage, runAdvantage } from "@proximal/core";
import { type HintedReward, repairGroup } from "./repair.js";
import { ScafSampler } from "./sampler.js";

export default defineConformance({
  sampler: (options, inputs) => {
    const o = completeOptions(ScafSampler, options) as { warmupSteps: number; replaceCount: number };
    const hinted = inputs.hintedRewards as HintedReward[][];
    const repairs = (inputs.rewardsByPrompt as number[][]).map((rewards, g) => ({
      rewards,
      ...repairGroup(rewards, hinted[g]!, inputs.step as number, o),
    }));
    return {
      replaced: repairs.map(({ replaced }) => replaced),
      hintLevel: repairs.map(({ hintLevel }) => hintLevel),
      rewardsByPrompt: repairs.map(({ rewards, replaced, chosen }, g) =>
        rewards.map((r, i) => (replaced.includes(i) ? hinted[g]![chosen!]!.reward : r)),
      ),
    };
  },
  advantage: ({ stdEps = 1e-6 }, inputs) => runAdvantage(GroupNormalizedAdvantage, { stdEps }, inputs),
});
