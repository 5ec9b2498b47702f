import { defineConformance, type Inputs, type Options, runAdvantage, runReward } from "@proximal/core";
import { MixedGroupAdvantage } from "./advantage.js";
import { UnlikelinessReward } from "./reward.js";

const only = (options: Options, ...names: string[]): Options =>
  Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));

const shaped = (options: Options, inputs: Inputs) =>
  runReward(UnlikelinessReward, only(options, "rankPenalty", "lengthNormalize"), inputs, {
    inner: { rewards: inputs.rewards as number[] },
  });

export default defineConformance({
  reward: shaped,
  advantage: async (options, inputs) => {
    const { rewards } = await shaped(options, inputs);
    return {
      rewards,
      ...(await runAdvantage(MixedGroupAdvantage, only(options, "dropDegenerateGroups", "stdEps"), { ...inputs, rewards })),
    };
  },
});
