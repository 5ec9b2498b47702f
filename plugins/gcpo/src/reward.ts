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
  textPattern,
} from "@proximal/core";

const { mean } = statistics;

const gcpoOptions = Type.Object({
  margin: Type.Number({ default: 0.1, minimum: 0, description: "ε: difference of the accuracies up to which the mask is 0" }),
  auxWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the masked construction reward" }),
  formatWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the format" }),
  lengthWeight: Type.Number({ default: 0.5, minimum: 0, description: "Weight of the length term" }),
  maxLength: Type.Number({ default: 2048, exclusiveMinimum: 0, description: "Tokens that give the full length term" }),
  auxPattern: Type.String({ default: "<aux>[\\s\\S]*?</aux>", description: "What makes a completion one with an auxiliary construction" }),
  formatPattern: Type.String({ default: "<answer>[\\s\\S]*?</answer>", description: "What makes a completion well-formed" }),
  correctThreshold: correctThresholdOption,
});

export type GcpoOptions = Static<typeof gcpoOptions>;

export interface GcpoFacts {
  correct: ArrayLike<number>;
  format: ArrayLike<number>;
  usesAux: ArrayLike<number>;
  /** Tokens. */
  lengths: ArrayLike<number>;
}

/**
 * [G] sign of d = mean accuracy of the group's rows with a construction - mean accuracy of those without: 1 where d > ε,
 * -1 where d < -ε, else 0; 0 where one of the two sets is empty.
 */
export const contrastMask = (
  groupRows: readonly ArrayLike<number>[],
  { correct, usesAux }: Pick<GcpoFacts, "correct" | "usesAux">,
  margin: number,
): number[] =>
  groupRows.map((rows) => {
    const known = Array.from(rows).filter((row) => !Number.isNaN(correct[row]));
    const accuracy = (aux: boolean) => mean(known.filter((row) => (usesAux[row] === 1) === aux).map((row) => correct[row]!));
    const difference = accuracy(true) - accuracy(false);
    return difference > margin ? 1 : difference < -margin ? -1 : 0;
  });

/**
 * R = R_acc + w_f·R_fmt + w_a·mask·aux + w_l·min(1, length / maxLength), [B]. GCPO (2506.07160), the mask of eq. 3's
 * construction reward; composition and length term are a reconstruction.
 */
export function gcpoRewards(groupRows: readonly ArrayLike<number>[], facts: GcpoFacts, o: Omit<GcpoOptions, "correctThreshold">) {
  const mask = contrastMask(groupRows, facts, o.margin);
  const rewards = new Float64Array(facts.correct.length);
  groupRows.forEach((rows, g) => {
    for (const row of Array.from(rows)) {
      rewards[row] =
        facts.correct[row]! +
        o.formatWeight * facts.format[row]! +
        o.auxWeight * mask[g]! * facts.usesAux[row]! +
        o.lengthWeight * Math.min(1, facts.lengths[row]! / o.maxLength);
    }
  });
  return { rewards, mask };
}

@rewardModel({
  id: "gcpo",
  description: "Rewards auxiliary constructions in groups where they help, punishes them where they hurt",
  options: gcpoOptions,
  reads: ["completions", "lengths", "group"],
  writes: ["correct", "format", { name: "usesAux", at: "row", dtype: "bool" }],
  wraps: true,
})
export class GcpoReward implements RewardModel {
  private readonly aux: RegExp;
  private readonly wellFormed: RegExp;

  constructor(@options() private readonly o: GcpoOptions) {
    this.aux = textPattern(o.auxPattern, "auxPattern");
    this.wellFormed = textPattern(o.formatPattern, "formatPattern");
  }

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const texts = batch.strings("completions");
    const matches = (pattern: RegExp) => Float64Array.from(texts, (text) => (pattern.test(text) ? 1 : 0));
    const facts: GcpoFacts = {
      correct: correctOf(inner!.rewards, this.o.correctThreshold),
      format: matches(this.wellFormed),
      usesAux: matches(this.aux),
      lengths: batch.lengths,
    };
    const { rewards, mask } = gcpoRewards(batch.groupRows, facts, this.o);
    const share = (sign: number) => mask.filter((m) => m === sign).length / Math.max(1, mask.length);
    const { correct, format, usesAux } = facts;
    return {
      rewards,
      components: { usesAux },
      columns: { correct, format, usesAux },
      metrics: { maskHelps: share(1), maskNeutral: share(0), maskHurts: share(-1) },
    };
  }
}
