import { completeOptions, defineConformance, runAdvantage, runReward, runTerms, type Static } from "@proximal/core";
import { IcpoAdvantage } from "./advantage.js";
import { IcpoGate } from "./gate.js";
import { decay, IcpoReward, type icpoRewardOptions } from "./reward.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: IcpoGate, options }, inputs),
  reward: async (options, inputs) => {
    const step = inputs.step as number;
    const { rewards } = await runReward(IcpoReward, options, inputs, { step, inner: { rewards: inputs.correct as number[] } });
    return { rewards, decay: decay(step, completeOptions(IcpoReward, options) as Static<typeof icpoRewardOptions>) };
  },
  advantage: (options, inputs) => runAdvantage(IcpoAdvantage, options, inputs),
});
