import {
  batchOfCase,
  completeOptions,
  defineConformance,
  GroupNormalizedAdvantage,
  type Inputs,
  type Options,
  runAdvantage,
} from "@proximal/core";
import type { TwoStageOptions } from "./reward.js";
import { formatReward, TwoStageReward, twoStageRewards } from "./reward.js";

function total(options: Options, { correct, lengths, format, group }: Inputs) {
  const o = completeOptions(TwoStageReward, options) as unknown as TwoStageOptions;
  const facts = { correct: correct as number[], lengths: lengths as number[], format: format as number[] };
  const { rewards, cosineReward, lengthReward } = twoStageRewards(facts, batchOfCase({ correct, group }).groupRows, o);
  return { rewards: [...rewards], cosineReward: [...cosineReward], lengthReward: [...lengthReward] };
}

export default defineConformance({
  "reward/total": total,
  "reward/format": (_options, { completions }) => ({ rewards: (completions as string[]).map(formatReward) }),
  advantage: ({ stdEps = 1e-4, ...options }, inputs) =>
    runAdvantage(
      GroupNormalizedAdvantage,
      { stdEps, groupOfOne: "raw-scaled" },
      { rewards: total(options, inputs).rewards, group: inputs.group },
    ),
});
