import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  lossMask,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { constant, mean, std, take } = statistics;

export const rlooOptions = Type.Object({
  klCoef: Type.Number({ default: 0.05, minimum: 0, description: "Weight of the response's KL to the reference in its reward" }),
  normalize: Type.Boolean({ default: false, description: "Standardise the advantages over the batch" }),
  stdEps: Type.Number({ default: 1e-4, minimum: 0, description: "Added to the std of the batch" }),
  singleton: Type.Union([Type.Literal("zero"), Type.Literal("raw")], {
    default: "zero",
    description: "Advantage of a response without siblings: 0 or its reward",
  }),
});

/** R_i less the mean of the others: k/(k-1)·(R_i - mean). Exactly 0 where all are equal. NaN (unscorable) is not among the k and gets 0. */
function leaveOneOut(rewards: Float64Array, groupRows: readonly Int32Array[], singleton: "zero" | "raw"): Float64Array {
  const advantages = new Float64Array(rewards.length);
  for (const rows of groupRows) {
    const scored = rows.filter((row) => Number.isFinite(rewards[row]!));
    const group = take(rewards, scored);
    const k = group.length;
    if (k === 1) advantages[scored[0]!] = singleton === "raw" ? group[0]! : 0;
    if (k < 2 || constant(group)) continue;
    const center = mean(group);
    for (const row of scored) advantages[row] = (k / (k - 1)) * (rewards[row]! - center);
  }
  return advantages;
}

/** (A - mean) / (sample std + stdEps) over the batch; zeros where all are equal. */
function standardized(advantages: Float64Array, stdEps: number): Float64Array {
  if (constant(advantages)) return new Float64Array(advantages.length);
  const [center, scale] = [mean(advantages), std(advantages, 1) + stdEps];
  return advantages.map((a) => (a - center) / scale);
}

/** A_i = R̃_i - mean_{j≠i} R̃_j with R̃_i = R_i - klCoef·Σ_t (oldLogp - refLogp), [B]. RLOO (2402.14740). */
@advantageEstimator({
  id: "rloo",
  description: "Reward, less the sequence KL to the reference, relative to the mean of the group's other responses",
  options: rlooOptions,
  reads: ["rewards", "mask", { name: "oldLogp", unless: { klCoef: 0 } }, { name: "refLogp", unless: { klCoef: 0 } }],
  writes: ["advantages"],
  conventions: {
    std: "none; with normalize the sample std of the batch",
    groupOfOne: "0 unless singleton is raw",
    kl: "k1 sum in the reward",
  },
})
export class RlooAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof rlooOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const { klCoef, normalize, stdEps, singleton } = this.o;
    const kl = klCoef === 0 ? new Float64Array(batch.rows) : sequenceKl(batch);
    const rewards = batch.f64("rewards").map((reward, row) => reward - klCoef * kl[row]!);
    const advantages = leaveOneOut(rewards, batch.groupRows, singleton);
    return {
      columns: { advantages: Array.from(normalize ? standardized(advantages, stdEps) : advantages) },
      metrics: klCoef === 0 ? {} : { sequenceKl: mean(kl) },
    };
  }
}

/** Σ_t (oldLogp - refLogp) over the policy's own tokens, nats, [B]. */
function sequenceKl(batch: Batch): Float64Array {
  const [old, reference, own] = [batch.f64("oldLogp"), batch.f64("refLogp"), lossMask(batch)];
  return Float64Array.from({ length: batch.rows }, (_, row) => {
    let total = 0;
    for (let t = batch.offsets[row]!; t < batch.offsets[row + 1]!; t++) if (own[t]) total += old[t]! - reference[t]!;
    return total;
  });
}
