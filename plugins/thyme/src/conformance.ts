import { completeOptions, defineConformance, GroupNormalizedAdvantage, type Options, runAdvantage, type Static } from "@proximal/core";
import { type RewardWeights, ThymeReward, totalReward } from "./reward.js";
import { ThymeSampler, type thymeOptions } from "./sampler.js";
import { segmentsOf, temperatureOf } from "./segments.js";

const complete = (options: Options) => completeOptions(ThymeSampler, options) as unknown as Static<typeof thymeOptions>;

export default defineConformance({
  "sampler/temperature": (options, inputs) => ({
    temperatures: (inputs.segmentKinds as ("text" | "code")[]).map((kind) => temperatureOf(kind, complete(options))),
  }),
  "sampler/segmentation": (options, inputs) => ({ segments: segmentsOf(inputs.text as string, complete(options)) }),
  reward: (options, inputs) => {
    const o = completeOptions(ThymeReward, options) as unknown as RewardWeights;
    const [consistent, format] = [inputs.consistent as number[], inputs.format as number[]];
    return { rewards: (inputs.correct as number[]).map((result, row) => totalReward(result, consistent[row]!, format[row]!, o)) };
  },
  advantage: ({ stdEps = 1e-4 }, inputs) => runAdvantage(GroupNormalizedAdvantage, { stdEps }, inputs),
});
