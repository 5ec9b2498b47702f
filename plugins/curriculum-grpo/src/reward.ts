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
  statistics,
  Type,
} from "@proximal/core";
import { budgetOptions, lengthBudget } from "./budget.js";
import { hasSpans } from "./spans.js";

export const curriculumOptions = Type.Object({
  ...budgetOptions.properties,
  lengthShape: Type.Union([Type.Literal("triangle"), Type.Literal("band")], {
    default: "triangle",
    description: "Up to the budget the length reward rises (triangle) or is constant (band)",
  }),
  maxLengthReward: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Length reward at the budget" }),
  correctReward: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Reward of a right answer" }),
  thinkReward: Type.Number({ default: 0.5, minimum: 0, description: "Reward of one well-formed <think> span" }),
  answerReward: Type.Number({ default: 0.5, minimum: 0, description: "Reward of one well-formed <answer> span" }),
  correctWeight: Type.Number({ default: 0.6, minimum: 0, description: "Weight of the correctness" }),
  lengthWeight: Type.Number({ default: 0.3, minimum: 0, description: "Weight of the length reward" }),
  formatWeight: Type.Number({ default: 0.1, minimum: 0, description: "Weight of the format" }),
  correctThreshold: correctThresholdOption,
});

export type CurriculumOptions = Omit<Static<typeof curriculumOptions>, "correctThreshold">;

/** Triangle: R·l/L up to the budget L, R·(1 - (l - L)/L) up to 2L, then 0. Band: R up to L. */
export function lengthReward(length: number, budget: number, o: Pick<CurriculumOptions, "lengthShape" | "maxLengthReward">): number {
  if (length <= budget) return o.lengthShape === "band" ? o.maxLengthReward : (o.maxLengthReward * length) / budget;
  if (length > 2 * budget) return 0;
  return o.maxLengthReward * (1 - (length - budget) / budget);
}

export interface CurriculumFacts {
  /** [B] in [0, 1]. */
  correct: ArrayLike<number>;
  /** [B] response tokens. */
  lengths: ArrayLike<number>;
  hasThink: ArrayLike<boolean | number>;
  hasAnswer: ArrayLike<boolean | number>;
}

/** r = w_c·R_cor·c + w_l·R_len + w_f·R_fmt, [B], and its parts before their weights. Train Long, Think Short (2508.08940). */
export function curriculumRewards(
  { correct, lengths, hasThink, hasAnswer }: CurriculumFacts,
  budget: ArrayLike<number>,
  o: CurriculumOptions,
) {
  const length = Float64Array.from(lengths, (n, row) => lengthReward(n, budget[row]!, o));
  const format = Float64Array.from(lengths, (_, row) => o.thinkReward * Number(hasThink[row]) + o.answerReward * Number(hasAnswer[row]));
  const rewards = Float64Array.from(
    correct,
    (c, row) => o.correctWeight * o.correctReward * c + o.lengthWeight * length[row]! + o.formatWeight * format[row]!,
  );
  return { rewards, lengthReward: length, formatReward: format };
}

@rewardModel({
  id: "curriculum-grpo",
  description: "Correctness, use of a token budget that shrinks over the run, and format",
  options: curriculumOptions,
  reads: ["completions", "lengths", { name: "lengthBudget", at: "row", dtype: "f64", optional: true }],
  writes: ["correct"],
  wraps: true,
})
export class CurriculumReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof curriculumOptions>) {}

  score(batch: Batch, { inner, step }: RewardContext): RewardResult {
    // The budget that the prompt named, where the sampler wrote one into it.
    const budget = batch.has("lengthBudget") ? batch.f64("lengthBudget") : new Float64Array(batch.rows).fill(lengthBudget(step, this.o));
    const spans = batch.strings("completions").map((text) => hasSpans(text, "think", "answer"));
    const { rewards, ...parts } = curriculumRewards(
      {
        correct: inner!.rewards,
        lengths: batch.lengths,
        hasThink: spans.map(([think]) => think!),
        hasAnswer: spans.map(([, answer]) => answer!),
      },
      budget,
      this.o,
    );
    return {
      rewards,
      components: parts,
      columns: { correct: correctOf(inner!.rewards, this.o.correctThreshold) },
      metrics: {
        lengthBudget: statistics.mean(budget),
        overBudget: statistics.mean(batch.lengths.map((n, row) => (n > budget[row]! ? 1 : 0))),
      },
    };
  }
}
