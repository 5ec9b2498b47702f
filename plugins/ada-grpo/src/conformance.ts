import { batchOfCase, defineConformance, GroupNormalizedAdvantage, type Inputs, type Options, runAdvantage } from "@proximal/core";
import { diversityScale } from "./reward.js";

function scaled({ totalSteps, diversityFloor }: Options, inputs: Inputs): number[] {
  const { groupRows } = batchOfCase({ rewards: inputs.rewards, group: inputs.group });
  const scale = diversityScale(inputs.mode as string[], groupRows, {
    step: inputs.step as number,
    totalSteps: totalSteps as number,
    diversityFloor: (diversityFloor as number | null | undefined) ?? undefined,
  });
  return (inputs.rewards as number[]).map((reward, row) => reward * scale[row]!);
}

export default defineConformance({
  reward: (options, inputs) => ({ rewards: scaled(options, inputs) }),
  advantage: ({ stdEps = 1e-6, ...options }, inputs) =>
    runAdvantage(GroupNormalizedAdvantage, { stdEps, groupOfOne: "raw-scaled" }, { rewards: scaled(options, inputs), group: inputs.group }),
});
