import {
  batchOfCase,
  completeOptions,
  defineConformance,
  GroupNormalizedAdvantage,
  type Inputs,
  type Options,
  runAdvantage,
} from "@proximal/core";
import { type AdaptiveSettings, adaptiveRewards, type ModeFacts } from "./adaptive.js";
import { rolloutPlan } from "./modes.js";
import { AdaptiveReward } from "./reward.js";
import { ModeSampler } from "./sampler.js";

function scored(options: Options, inputs: Inputs) {
  const o = completeOptions(AdaptiveReward, options) as unknown as AdaptiveSettings;
  const { groupRows } = batchOfCase({ correct: inputs.correct, group: inputs.group });
  const { rewards, ...groups } = adaptiveRewards(inputs as unknown as ModeFacts, groupRows, o);
  return { rewards: [...rewards], ...groups };
}

export default defineConformance({
  reward: scored,
  advantage: ({ stdEps = 1e-6, ...options }, inputs) =>
    runAdvantage(
      GroupNormalizedAdvantage,
      { stdEps, groupOfOne: "raw-scaled" },
      { rewards: scored(options, inputs).rewards, group: inputs.group },
    ),
  sampler: (options) => {
    const { modes, forcedPerMode, adaptive } = completeOptions(ModeSampler, options) as {
      modes: string[];
      forcedPerMode: number;
      adaptive: number;
    };
    const plan = rolloutPlan(modes, forcedPerMode, adaptive);
    return { groupSize: plan.length, rolloutPlan: plan };
  },
});
