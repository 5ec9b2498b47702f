import { completeOptions, defineConformance, GroupNormalizedAdvantage, type Inputs, type Options, runAdvantage } from "@proximal/core";
import { cosineRewards, formatReward, OpenRsReward, totalRewards } from "./reward.js";

type Complete = Parameters<typeof cosineRewards>[2] & Parameters<typeof totalRewards>[2];

const cosine = (options: Options, { correct, lengths }: Inputs): Float64Array =>
  cosineRewards(correct as number[], lengths as number[], completeOptions(OpenRsReward, options) as unknown as Complete);

export default defineConformance({
  "reward/cosine": (options, inputs) => ({ rewards: [...cosine(options, inputs)] }),
  "reward/format": (_options, { completions }) => ({ rewards: (completions as string[]).map(formatReward) }),
  advantage: async ({ stdEps = 1e-4, ...options }, inputs) => {
    const complete = completeOptions(OpenRsReward, options) as unknown as Complete;
    const rewards = [...totalRewards(inputs.format as number[], cosine(options, inputs), complete)];
    return {
      rewards,
      ...(await runAdvantage(GroupNormalizedAdvantage, { stdEps, groupOfOne: "raw-scaled" }, { rewards, group: inputs.group })),
    };
  },
});
