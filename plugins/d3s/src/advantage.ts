import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  type GroupNormalizedOptions,
  groupNormalize,
  lossMask,
  options,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { keptCount, scheduledRatio } from "./schedule.js";
import { maxVarianceSubset, topScores } from "./selection.js";

const { std, take } = statistics;

const fraction = (value: number, what: string) =>
  Type.Number({ default: value, exclusiveMinimum: 0, maximum: 1, description: `Fraction of ${what}` });

export const d3sOptions = Type.Object({
  scope: Type.Enum(["intra", "cross"], { default: "cross", description: "Select responses in every group, or over the whole batch" }),
  sampleStart: fraction(0.5, "responses kept at step 0"),
  sampleEnd: fraction(1, "responses kept at the end of the ramp"),
  tokenStart: fraction(0.5, "tokens of kept responses trained on at step 0"),
  tokenEnd: fraction(1, "tokens of kept responses trained on at the end of the ramp"),
  totalSteps: Type.Integer({ default: 100, minimum: 1, description: "Steps of the ramp" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std of the group" }),
});

/**
 * GRPO's advantages on the full groups, then two selections: the responses whose advantages have maximal variance, and of
 * their tokens those with the largest |A_i|·H_{i,t}, H = entropy of the sampling policy, nats. D3S (2509.22115).
 */
@advantageEstimator({
  id: "d3s",
  description: "Group-normalised advantages; trains on the responses of maximal variance and their tokens of largest |A|·entropy",
  options: d3sOptions,
  reads: ["rewards", "oldEntropy", "mask"],
  writes: ["advantages", "keep", "keepTokens"],
  conventions: { std: "population, over the full group, never again after the selection", groupOfOne: "0" },
  exceptions: { rowOrder: "of equally good choices the smaller row is kept" },
})
export class D3sAdvantage implements AdvantageEstimator {
  private readonly normalized: GroupNormalizedOptions;

  constructor(@options() private readonly o: Static<typeof d3sOptions>) {
    this.normalized = { scale: "group", ddof: 0, stdEps: o.stdEps, groupOfOne: "zero", advClip: null };
  }

  estimate(batch: Batch, { step }: StepContext): EstimateResult {
    const { sampleStart, sampleEnd, tokenStart, tokenEnd, totalSteps } = this.o;
    const sampleRatio = scheduledRatio({ start: sampleStart, end: sampleEnd }, step, totalSteps);
    const tokenRatio = scheduledRatio({ start: tokenStart, end: tokenEnd }, step, totalSteps);
    const advantages = groupNormalize(batch.f64("rewards"), batch.groupRows, this.normalized);
    const kept = this.selectRows(batch, advantages, sampleRatio);
    const keep = indicator(batch.rows, kept);
    const keepTokens = indicator(batch.tokens, this.selectTokens(batch, advantages, keep, tokenRatio));
    const share = (part: Uint8Array): number => (part.length === 0 ? 0 : statistics.mean(part));
    return {
      columns: { advantages: [...advantages], keep, keepTokens },
      metrics: {
        sampleRatio,
        tokenRatio,
        keptRows: share(keep),
        keptTokens: share(keepTokens),
        variance: std(advantages, 0) ** 2,
        keptVariance: std(take(advantages, kept), 0) ** 2,
      },
    };
  }

  private selectRows(batch: Batch, advantages: Float64Array, ratio: number): number[] {
    const sets = this.o.scope === "intra" ? batch.groupRows : [Int32Array.from(advantages.keys())];
    return sets.flatMap((rows) => maxVarianceSubset(take(advantages, rows), keptCount(ratio, rows.length)).map((i) => rows[i]!));
  }

  /** Tokens by their place in the batch: row by row, so that the smaller place is the smaller row, then the smaller position. */
  private selectTokens(batch: Batch, advantages: Float64Array, keep: Uint8Array, ratio: number): number[] {
    const entropy = batch.f64("oldEntropy");
    const mask = lossMask(batch);
    const rowKept = batch.repeat(keep);
    const scores = batch.repeat(advantages).map((a, t) => Math.abs(a) * entropy[t]!);
    const candidates = [...scores.keys()].filter((t) => rowKept[t] === 1 && mask[t] === 1);
    return topScores(scores, candidates, keptCount(ratio, candidates.length));
  }
}

function indicator(size: number, indices: readonly number[]): Uint8Array {
  const result = new Uint8Array(size);
  for (const i of indices) result[i] = 1;
  return result;
}
