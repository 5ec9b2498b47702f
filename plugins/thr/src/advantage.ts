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
import { influences, type TokenFacts } from "./influence.js";
import { thresholdOf, tokenWeight, type WeightOptions } from "./weights.js";

const { mean } = statistics;

export const thrOptions = Type.Object({
  strength: Type.Number({ default: 0.1, minimum: -1, maximum: 1, description: "p: above 0 exploitation, below 0 exploration" }),
  thresholdMode: Type.Enum(["correctMean", "fixed"], { default: "correctMean", description: "Threshold of a group, or a constant" }),
  beta: Type.Number({ default: 1, minimum: 0, description: "Factor of the correctMean threshold" }),
  threshold: Type.Number({ default: 0, minimum: 0, description: "Threshold on |THR| in the fixed mode" }),
  correctThreshold: Type.Number({ default: 0.5, description: "A response is correct when its reward is above it" }),
  stdEps: Type.Number({ default: 1e-6, minimum: 0, description: "Added to the std" }),
  ddof: Type.Union([Type.Literal(0), Type.Literal(1)], { default: 0, description: "Std divides by n - ddof: 0 = population, 1 = sample" }),
  candidates: Type.Integer({
    default: 64,
    minimum: 1,
    description: "Likeliest tokens of a position whose probabilities are known; others count as 0",
  }),
});

/**
 * A~_{j,k} = 1[|THR_{j,k}| > τ]·(1 + p·sign(THR_{j,k}))·A_j, [B, T]: THR = ±s (+ for correct responses), s the influence of the token on
 * the likelihood of the group's correct responses. Groups without both kinds: A_j. Old policy throughout. THR (2510.03669).
 */
@advantageEstimator({
  id: "thr",
  description: "GRPO's advantage on the tokens that move the correct responses most, weighted by the direction in which they do",
  options: thrOptions,
  reads: [
    "rewards",
    "tokens",
    "hidden",
    "candidateProbs",
    "candidateTokens",
    { name: "oldLogp", optional: true },
    { name: "mask", optional: true },
  ],
  writes: [
    "advantages",
    { name: "baseAdvantages", at: "row", dtype: "f64" },
    { name: "tokenScores", at: "token", dtype: "f64" },
    { name: "thresholds", at: "group", dtype: "f64" },
    { name: "scoreWeights", at: "token", dtype: "f64" },
  ],
  conventions: { std: "population unless ddof is 1", groupOfOne: "0" },
})
export class ThrAdvantage implements AdvantageEstimator {
  readonly candidates: number;

  constructor(@options() private readonly o: Static<typeof thrOptions>) {
    this.candidates = o.candidates;
  }

  estimate(batch: Batch): EstimateResult {
    const { stdEps, ddof, correctThreshold, strength } = this.o;
    const rewards = batch.f64("rewards");
    const normalization = { scale: "group", ddof, stdEps, groupOfOne: "zero", advClip: null } as const;
    const baseAdvantages = groupNormalize(rewards, batch.groupRows, normalization);
    const mask = lossMask(batch);
    const tokenScores = new Float64Array(batch.tokens);
    const scoreWeights = new Float64Array(batch.tokens).fill(1);
    const thresholds = new Float64Array(batch.groups);
    let mixed = 0;
    batch.groupRows.forEach((rows, g) => {
      const isCorrect = Array.from(rows, (row) => rewards[row]! > correctThreshold);
      if (!isCorrect.includes(true) || !isCorrect.includes(false)) return;
      mixed++;
      const places = Array.from(rows, (row) => ownTokens(batch, mask, row));
      const influence = influences(
        places.map((own) => own.map((t) => factsOf(batch, t))),
        isCorrect,
      );
      const scores = influence.map((row, i) => (isCorrect[i] ? row : row.map((s) => -s)));
      const threshold = thresholdOf(scores, isCorrect, this.o as WeightOptions);
      thresholds[g] = threshold;
      places.forEach((own, i) => {
        own.forEach((t, k) => {
          tokenScores[t] = scores[i]![k]!;
          scoreWeights[t] = tokenWeight(scores[i]![k]!, threshold, strength);
        });
      });
    });
    const advantages = batch.repeat(baseAdvantages).map((a, t) => scoreWeights[t]! * a);
    return {
      columns: { advantages, baseAdvantages, tokenScores, thresholds, scoreWeights },
      metrics: {
        mixedGroups: mixed / batch.groups,
        droppedTokens: scoreWeights.filter((w) => w === 0).length / batch.tokens,
        positiveTokens: tokenScores.filter((s) => s > 0).length / batch.tokens,
        threshold: mean(thresholds),
      },
    };
  }
}

/** Places in the batch of the row's tokens that the policy chose. */
const ownTokens = (batch: Batch, mask: Uint8Array, row: number): number[] =>
  Array.from({ length: batch.lengths[row]! }, (_, t) => batch.offsets[row]! + t).filter((t) => mask[t] === 1);

function factsOf(batch: Batch, t: number): TokenFacts {
  const [ids, probabilities] = [batch.i32("candidateTokens"), batch.f64("candidateProbs")];
  const K = ids.length / batch.tokens;
  const token = batch.i32("tokens")[t]!;
  const probs = new Map<number, number>();
  for (let k = t * K; k < (t + 1) * K; k++) probs.set(ids[k]!, probabilities[k]!);
  // A sampled token that is not among the likeliest has the sampler's probability.
  if (!probs.has(token) && batch.has("oldLogp")) probs.set(token, Math.exp(batch.f64("oldLogp")[t]!));
  const all = batch.f64("hidden");
  const width = all.length / batch.tokens;
  return { token, probs, hidden: all.subarray(t * width, (t + 1) * width) };
}
