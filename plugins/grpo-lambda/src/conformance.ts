import { defineConformance, GroupNormalizedAdvantage, type Inputs, type Options, runAdvantage, runReward } from "@proximal/core";
import { LambdaReward } from "./reward.js";

const shaped = ({ stdEps: _, ...options }: Options, inputs: Inputs) =>
  runReward(LambdaReward, options, inputs, { inner: { rewards: inputs.correct as number[] } });

export default defineConformance({
  reward: shaped,
  advantage: async (options, inputs) => {
    const { rewards } = await shaped(options, inputs);
    const { stdEps = 1e-6 } = options;
    return runAdvantage(GroupNormalizedAdvantage, { stdEps, groupOfOne: "raw-scaled" }, { ...inputs, rewards });
  },
});
