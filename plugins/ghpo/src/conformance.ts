import { completeOptions, defineConformance, GroupNormalizedAdvantage, runAdvantage, type Static } from "@proximal/core";
import { hintLength, isHard, refineGroups } from "./refine.js";
import { GhpoSampler, type ghpoOptions } from "./sampler.js";

export default defineConformance({
  sampler: async (options, inputs) => {
    const { hintRatios, correctThreshold } = completeOptions(GhpoSampler, options) as unknown as Static<typeof ghpoOptions>;
    const [first, ...later] = inputs.stageRewards as (number[] | null)[][];
    const lengths = inputs.solutionLength as number[];
    const { kept, stage } = await refineGroups(
      first as number[][],
      hintRatios.length,
      (rewards) => isHard(rewards, correctThreshold),
      async (k, groups) => groups.map((g) => (lengths[g] === 0 ? null : (later[k - 1]?.[g] ?? null))),
    );
    const hintRatio = stage.map((k) => (k === 0 ? 0 : hintRatios[k - 1]!));
    return { stage, hintRatio, hintLength: hintRatio.map((w, g) => hintLength(lengths[g]!, w)), rewardsByPrompt: kept };
  },
  advantage: ({ stdEps = 1e-4 }, inputs) => runAdvantage(GroupNormalizedAdvantage, { stdEps }, inputs),
});
