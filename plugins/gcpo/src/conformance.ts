import {
  batchOfCase,
  completeOptions,
  defineConformance,
  GroupNormalizedAdvantage,
  type Inputs,
  type Options,
  runAdvantage,
} from "@proximal/core";
import { type GcpoFacts, type GcpoOptions, GcpoReward, gcpoRewards } from "./reward.js";

function shaped(options: Options, inputs: Inputs) {
  const o = completeOptions(GcpoReward, options) as unknown as GcpoOptions;
  const { groupRows } = batchOfCase({ correct: inputs.correct, group: inputs.group });
  const { rewards, mask } = gcpoRewards(groupRows, inputs as unknown as GcpoFacts, o);
  return { rewards: [...rewards], mask };
}

export default defineConformance({
  reward: shaped,
  advantage: ({ stdEps = 1e-6, ...options }, inputs) =>
    runAdvantage(
      GroupNormalizedAdvantage,
      { stdEps, groupOfOne: "raw-scaled" },
      { rewards: shaped(options, inputs).rewards, group: inputs.group },
    ),
});
