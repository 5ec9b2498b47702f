import { completeOptions, defineConformance, GroupNormalizedAdvantage, type Inputs, type Options, runAdvantage } from "@proximal/core";
import { type WirelessOptions, WirelessReward, wirelessReward } from "./reward.js";

function rewardsOf(options: Options, { format, correct }: Inputs): number[] {
  const o = completeOptions(WirelessReward, options) as unknown as WirelessOptions;
  return (format as number[]).map((f, row) => wirelessReward(f, (correct as number[])[row]!, o));
}

export default defineConformance({
  reward: (options, inputs) => ({ rewards: rewardsOf(options, inputs) }),
  advantage: ({ stdEps = 1e-6, ...options }, inputs) =>
    runAdvantage(
      GroupNormalizedAdvantage,
      { stdEps, groupOfOne: "raw-scaled" },
      { rewards: rewardsOf(options, inputs), group: inputs.group },
    ),
});
