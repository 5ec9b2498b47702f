import { completeOptions, defineConformance, GroupNormalizedAdvantage, type Inputs, type Options, runAdvantage } from "@proximal/core";
import { type PGrpoOptions, PosteriorReward, posteriorReward } from "./reward.js";

function composed(options: Options, inputs: Inputs): number[] {
  const o = completeOptions(PosteriorReward, options) as unknown as PGrpoOptions;
  const { format, correct, thinking } = inputs as unknown as Record<"format" | "correct" | "thinking", number[]>;
  return format.map((f, row) => posteriorReward(f, correct[row]!, thinking[row]!, o));
}

export default defineConformance({
  reward: (options, inputs) => ({ rewards: composed(options, inputs) }),
  advantage: ({ stdEps = 1e-6, ...options }, inputs) =>
    runAdvantage(
      GroupNormalizedAdvantage,
      { stdEps, groupOfOne: "raw-scaled" },
      { rewards: composed(options, inputs), group: inputs.group },
    ),
});
