import {
  type Batch,
  correctOf,
  correctThresholdOption,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
} from "@proximal/core";

export const wirelessOptions = Type.Object({
  compose: Type.Union([Type.Literal("weighted"), Type.Literal("gated")], {
    default: "weighted",
    description: "weighted: α·format + (1 - α)·accuracy; gated: format·accuracy",
  }),
  formatWeight: Type.Number({ default: 0.1, minimum: 0, maximum: 1, description: "α, weight of the format" }),
  answerNeedsFormat: Type.Boolean({ default: false, description: "A right answer counts only in the right format (weighted only)" }),
  correctThreshold: correctThresholdOption,
});

export type WirelessOptions = Static<typeof wirelessOptions>;

const BOXED = /boxed\{.*\}/;

const hasBox = (completion: string): number => (BOXED.test(completion) ? 1 : 0);

/** r = α·r_format + (1 - α)·r_accuracy. WirelessMathLM (2509.23219), eq. 3; `gated` is a binary variant that is not in the paper. */
export function wirelessReward(format: number, correct: number, o: Omit<WirelessOptions, "correctThreshold">): number {
  if (o.compose === "gated") return format * correct;
  const accuracy = o.answerNeedsFormat ? format * correct : correct;
  return o.formatWeight * format + (1 - o.formatWeight) * accuracy;
}

@rewardModel({
  id: "wireless-math",
  description: "A small reward for a boxed answer beside the reward for the right one",
  options: wirelessOptions,
  reads: ["completions"],
  writes: ["correct", "format"],
  wraps: true,
})
export class WirelessReward implements RewardModel {
  constructor(@options() protected readonly o: WirelessOptions) {}

  /** Verdicts of the rules [B]; NaN where they cannot decide. */
  protected verdicts(_batch: Batch, { inner }: RewardContext): Promise<Float64Array> | Float64Array {
    return correctOf(inner!.rewards, this.o.correctThreshold);
  }

  async score(batch: Batch, context: RewardContext): Promise<RewardResult> {
    const correct = await this.verdicts(batch, context);
    const format = Float64Array.from(batch.strings("completions"), hasBox);
    const decided = correctOf(context.inner!.rewards, this.o.correctThreshold).filter((c) => !Number.isNaN(c)).length;
    return {
      rewards: correct.map((c, row) => wirelessReward(format[row]!, c, this.o)),
      components: { format, accuracy: correct },
      columns: { correct, format },
      metrics: { decidedByRules: batch.rows === 0 ? 0 : decided / batch.rows },
    };
  }
}
