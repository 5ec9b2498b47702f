import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  lossMask,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { mean, take } = statistics;

const adoraOptions = Type.Object({
  variant: Type.Enum(["strict", "lenient"], {
    default: "strict",
    description: "Length criterion of a group without a correct or without a wrong response: of the text or the vision-language code",
  }),
  criterion: Type.Enum(["length", "difficulty"], {
    default: "length",
    description: "Full weight where long correct responses beat the average wrong one, or where the prompt is hard",
  }),
  correctThreshold: Type.Number({ default: 0.5, description: "A response is correct when its reward is above it" }),
  factor: Type.Number({ default: 0.1, exclusiveMinimum: 0, description: "Weight of the other groups" }),
  maxLength: Type.Number({ default: 4054, exclusiveMinimum: 0, description: "Wrong responses of this many tokens or more are ignored" }),
  difficulty: Type.Number({ default: 0.5, exclusiveMinimum: 0, maximum: 1, description: "Largest success rate of a hard prompt" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
});

export type AdoraOptions = Static<typeof adoraOptions>;

/**
 * Whether a group is temporarily advantageous. length: max length of the correct > mean length of the wrong that are shorter than
 * maxLength; difficulty: success rate in (0, difficulty]. Rewards and lengths (tokens) of the group. ADORA (2602.10019).
 */
export function isAdvantageous(rewards: ArrayLike<number>, lengths: ArrayLike<number>, o: AdoraOptions): boolean {
  const isCorrect = (reward: number): boolean => reward > o.correctThreshold;
  const correct = Array.from(rewards).flatMap((reward, i) => (isCorrect(reward) ? [lengths[i]!] : []));
  if (o.criterion === "difficulty") return correct.length > 0 && correct.length / rewards.length <= o.difficulty;
  const wrong = Array.from(rewards).flatMap((reward, i) => (!isCorrect(reward) && lengths[i]! < o.maxLength ? [lengths[i]!] : []));
  if (correct.length === 0) return o.variant === "lenient";
  if (wrong.length === 0) return o.variant === "strict";
  return Math.max(...correct) > mean(wrong);
}

/** A_i = W_g·(R_i - mean_g) / (std_g + stdEps), W = 1 for advantageous groups, `factor` for the others, [B]. ADORA (2602.10019). */
@advantageEstimator({
  id: "adora",
  description: "Group-normalised rewards, damped in groups where long correct responses do not beat the average wrong one",
  options: adoraOptions,
  reads: ["rewards", "lengths", "mask"],
  writes: ["advantages", { name: "groupWeights", at: "row", dtype: "f64" }],
  conventions: { std: "sample (n - 1)", groupOfOne: "its reward, times the weight" },
})
export class AdoraAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: AdoraOptions) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const lengths = ownTokens(batch);
    const flags = batch.groupRows.map((rows) => isAdvantageous(take(rewards, rows), take(lengths, rows), this.o));
    const groupWeights = Float64Array.from(batch.group, (g) => (flags[g] ? 1 : this.o.factor));
    const { stdEps } = this.o;
    const normalized = groupNormalize(rewards, batch.groupRows, { scale: "group", ddof: 1, stdEps, groupOfOne: "raw", advClip: null });
    const ofCorrect = lengths.filter((_, row) => rewards[row]! > this.o.correctThreshold);
    return {
      columns: { advantages: Array.from(normalized, (a, row) => groupWeights[row]! * a), groupWeights },
      metrics: {
        dampedGroups: flags.length === 0 ? 0 : flags.filter((flag) => !flag).length / flags.length,
        correctLength: mean(ofCorrect),
      },
    };
  }
}

/** [B] tokens of each response that the policy chose. */
function ownTokens(batch: Batch): Int32Array {
  const mask = lossMask(batch);
  return batch.lengths.map((_, row) => mask.subarray(batch.offsets[row], batch.offsets[row + 1]).reduce((n, on) => n + on, 0));
}
