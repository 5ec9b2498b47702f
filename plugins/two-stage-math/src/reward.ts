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
  Type,
} from "@proximal/core";

const twoStageOptions = Type.Object({
  ...cosineLengthOptions({
    minCorrect: 0.1,
    maxCorrect: 1,
    minWrong: -1,
    maxWrong: -0.1,
    maxLength: 30000,
    clampProgress: true,
  }).properties,
  lengthScope: Type.Union([Type.Literal("group"), Type.Literal("batch")], {
    default: "group",
    description: "Responses among which the shortest and the longest are taken",
  }),
  lengthUnit: lengthUnitOption,
  correctThreshold: correctThresholdOption,
});

export type TwoStageOptions = Static<typeof twoStageOptions>;

const BOX = "oxed{";

/**
 * 1 when a boxed answer stands before an end of the thinking, so that generation may stop there: the official pattern
 * `oxed\{.*?\}.*?</think>` matches. Searched part by part, in time linear in the length.
 */
export function formatReward(completion: string): number {
  const box = completion.indexOf(BOX);
  const end = box < 0 ? -1 : completion.indexOf("}", box + BOX.length);
  return end >= 0 && completion.includes("</think>", end) ? 1 : 0;
}

/**
 * λ = 1/2 - (n - min)/(max - min) over the rows of `scope`; a right answer earns λ, a wrong one min(0, λ); 0 where all are
 * equally long. Kimi k1.5 (2501.12599), section 2.3.3. Unverifiable rows earn and count nothing.
 */
function addRelativeLength(result: Float64Array, scope: readonly number[], correct: ArrayLike<number>, lengths: ArrayLike<number>): void {
  const known = scope.filter((row) => !Number.isNaN(correct[row]));
  const [shortest, longest] = known.reduce(
    ([low, high], row) => [Math.min(low, lengths[row]!), Math.max(high, lengths[row]!)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  if (!(longest! > shortest!)) return;
  for (const row of known) {
    const share = 0.5 - (lengths[row]! - shortest!) / (longest! - shortest!);
    result[row] = correct[row] === 1 ? share : Math.min(0, share);
  }
}

export interface TwoStageRewards {
  cosineReward: Float64Array;
  lengthReward: Float64Array;
  /** format + cosine + length. */
  rewards: Float64Array;
}

/** The three rewards of each response, [B]. Fast-Math-R1 (2507.08267), stage 2. */
export function twoStageRewards(
  facts: { correct: ArrayLike<number>; lengths: ArrayLike<number>; format: ArrayLike<number> },
  groupRows: readonly ArrayLike<number>[],
  o: TwoStageOptions,
): TwoStageRewards {
  const { correct, lengths, format } = facts;
  const lengthReward = new Float64Array(correct.length);
  const scopes = groupRows.map((rows) => Array.from(rows));
  for (const scope of o.lengthScope === "batch" ? [scopes.flat()] : scopes) addRelativeLength(lengthReward, scope, correct, lengths);
  const cosineReward = Float64Array.from(correct, (c, row) => (Number.isNaN(c) ? c : cosineLength(c === 1, lengths[row]!, o)));
  return { cosineReward, lengthReward, rewards: cosineReward.map((cosine, row) => format[row]! + cosine + lengthReward[row]!) };
}

@rewardModel({
  id: "two-stage-math",
  description: "Answer inside the thinking, correctness as half a cosine wave of the length, and length relative to the group",
  options: twoStageOptions,
  reads: ["completions", "group"],
  writes: ["correct", "format"],
  wraps: true,
})
export class TwoStageReward implements RewardModel {
  constructor(@options() private readonly o: TwoStageOptions) {}

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const correct = correctOf(inner!.rewards, this.o.correctThreshold);
    const format = Float64Array.from(batch.strings("completions"), formatReward);
    const lengths = responseLengths(batch, this.o.lengthUnit as "chars" | "tokens");
    const { rewards, ...parts } = twoStageRewards({ correct, format, lengths }, batch.groupRows, this.o);
    return { rewards, components: { format, ...parts }, columns: { correct, format } };
  }
}
