import {
  type Batch,
  correctOf,
  correctThresholdOption,
  cosineLength,
  cosineLengthOptions,
  lengthUnitOption,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  responseLengths,
  rewardModel,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

export const cosineOptions = cosineLengthOptions({
  minCorrect: 0.5,
  maxCorrect: 1,
  minWrong: 0,
  maxWrong: -0.5,
  maxLength: 1000,
  clampProgress: false,
});

export const openRsOptions = Type.Object({
  ...cosineOptions.properties,
  lengthUnit: lengthUnitOption,
  formatWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the format reward" }),
  cosineWeight: Type.Number({ default: 2, minimum: 0, description: "Weight of the cosine reward" }),
  correctThreshold: correctThresholdOption,
});

const THINK_END = "\n</think>\n";

/** 1 when the end of the thinking stands on a line of its own exactly once. */
export const formatReward = (completion: string): number => (completion.split(THINK_END).length === 2 ? 1 : 0);

/** Cosine reward of each response [B]; an unverifiable one (NaN) counts 1, as in the official code. */
export const cosineRewards = (correct: ArrayLike<number>, lengths: ArrayLike<number>, o: Static<typeof cosineOptions>): Float64Array =>
  Float64Array.from(correct, (c, row) => (Number.isNaN(c) ? 1 : cosineLength(c === 1, lengths[row]!, o)));

/** R = formatWeight·format + cosineWeight·cosine, [B]. Open-RS (2503.16219). */
export const totalRewards = (
  format: ArrayLike<number>,
  cosine: ArrayLike<number>,
  o: { formatWeight: number; cosineWeight: number },
): Float64Array => Float64Array.from(format, (f, row) => o.formatWeight * f + o.cosineWeight * cosine[row]!);

@rewardModel({
  id: "open-rs",
  description: "Format of the thinking plus a correctness reward that depends on the length as half a cosine wave",
  options: openRsOptions,
  reads: ["completions"],
  writes: ["correct", "format"],
  wraps: true,
})
export class OpenRsReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof openRsOptions>) {}

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const correct = correctOf(inner!.rewards, this.o.correctThreshold);
    const lengths = responseLengths(batch, this.o.lengthUnit as "chars" | "tokens");
    const format = Float64Array.from(batch.strings("completions"), formatReward);
    const cosine = cosineRewards(correct, lengths, this.o);
    return {
      rewards: totalRewards(format, cosine, this.o),
      components: { format, cosine },
      columns: { correct, format },
      metrics: { beyondMaxLength: statistics.mean(Float64Array.from(lengths, (n) => (n > this.o.maxLength ? 1 : 0))) },
    };
  }
}
