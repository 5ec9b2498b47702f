import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  type GroupNormalizedOptions,
  groupNormalize,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { mean, take } = statistics;

export const copoAdvantageOptions = Type.Object({
  rewardCoef: Type.Boolean({ default: true, description: "Weigh a group's mean reward by the consistency of its answers" }),
  entropyScale: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Steepness of the blend in the answer entropy, per bit" }),
  entropyCenter: Type.Number({ default: 0.5, description: "Answer entropy at which both losses weigh the same, bits" }),
  blendMode: Type.Enum(["softForced", "soft", "forced", "global", "local"], {
    default: "softForced",
    description: "Weight of the local loss: sigmoid, 0 where L = 0; sigmoid; 1, 0 where L = 0; always 0; always 1",
  }),
});

const NORMALIZED: GroupNormalizedOptions = { scale: "group", ddof: 1, stdEps: 1e-6, groupOfOne: "raw-scaled", advClip: null };
/** A constant group may carry rounding noise of this size after the division by the std guard. */
const NO_SIGNAL = 1e-9;

/** Entropy of the distribution of equal answers, bits; slightly negative (-1.4e-8) when all are equal, as in the paper's code. */
export function answerEntropy(answers: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / answers.length) * Math.log2(count / answers.length + 1e-8), 0);
}

/** 1 - λ·H with λ = (1 - 1/n) / log2 n: 1 when all n answers agree, 1/n when all differ. */
const consistency = (entropy: number, n: number): number => (n === 1 ? 1 : 1 - ((1 - 1 / n) / Math.log2(n)) * entropy);

/**
 * Two credits for each response and the weight w of the first, [B] each:
 * local L_i = (R_i - mean_g R) / (std_g R + 1e-6); global g_g = (G_g - mean G) / (std G + 1e-6) over the prompts of the batch,
 * with G_g = mean_g R · (1 - λ_g·H_g); w = σ(entropyScale·(H_g - entropyCenter)). COPO (2025), official code.
 */
@advantageEstimator({
  id: "copo",
  description: "Advantage inside the group and of the group among the batch's prompts, blended by the entropy of its answers",
  options: copoAdvantageOptions,
  reads: ["rewards", "completions", { name: "answers", optional: true }],
  writes: [
    "localAdvantages",
    "globalAdvantages",
    "localWeights",
    { name: "answerEntropy", at: "row", dtype: "f64" },
    { name: "globalRewards", at: "row", dtype: "f64" },
  ],
  conventions: { std: "sample (n - 1)", groupOfOne: "local R / (1 + 1e-6); global 0 when the batch is one prompt" },
})
export class CopoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof copoAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const answers = batch.strings(batch.has("answers") ? "answers" : "completions");
    const entropies = batch.groupRows.map((rows) => answerEntropy(Array.from(rows, (row) => answers[row]!)));
    const groupRewards = batch.groupRows.map((rows, g) => {
      const factor = this.o.rewardCoef ? consistency(entropies[g]!, rows.length) : 1;
      return mean(take(rewards, rows)) * factor;
    });
    const globals = groupNormalize(groupRewards, [groupRewards.map((_, g) => g)], { ...NORMALIZED, groupOfOne: "zero" });
    const localAdvantages = groupNormalize(rewards, batch.groupRows, NORMALIZED);
    const globalAdvantages = take(globals, batch.group);
    const answerEntropies = take(entropies, batch.group);
    const localWeights = localAdvantages.map((L, row) => this.localWeight(L, answerEntropies[row]!));
    const learns = localWeights.map((w, row) => Number(w * localAdvantages[row]! + (1 - w) * globalAdvantages[row]! !== 0));
    return {
      columns: {
        localAdvantages,
        globalAdvantages,
        localWeights,
        answerEntropy: answerEntropies,
        globalRewards: take(groupRewards, batch.group),
      },
      metrics: { answerEntropy: mean(entropies), localWeight: mean(localWeights), signalFraction: mean(learns) },
    };
  }

  private localWeight(L: number, entropy: number): number {
    const { blendMode, entropyScale, entropyCenter } = this.o;
    if (blendMode === "global") return 0;
    if (blendMode === "local") return 1;
    if (blendMode !== "soft" && Math.abs(L) <= NO_SIGNAL) return 0;
    return blendMode === "forced" ? 1 : 1 / (1 + Math.exp(-entropyScale * (entropy - entropyCenter)));
  }
}
