import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  generalizedAdvantages,
  lossMask,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { constant, mean, std } = statistics;

export const mdpoAdvantageOptions = Type.Object({
  gamma: Type.Number({ default: 0.99, minimum: 0, maximum: 1, description: "Discount a token" }),
  gaeLambda: Type.Number({ default: 0.95, minimum: 0, maximum: 1, description: "Trace parameter of GAE" }),
});

/** (A - mean) / std over the marked entries, population std without an eps; zeros where the std is 0 and at other entries. */
export function standardised(advantages: Float64Array, mask: ArrayLike<number>): Float64Array {
  const own = advantages.filter((_, t) => mask[t]);
  if (own.length === 0 || constant(own)) return new Float64Array(advantages.length);
  const [center, scale] = [mean(own), std(own, 0)];
  return advantages.map((a, t) => (mask[t] ? (a - center) / scale : 0));
}

/**
 * GAE with the reward at the last token, standardised over the tokens of the batch, [B, T]; value targets A + V from before.
 * MDPO (2005.09814), official code.
 */
@advantageEstimator({
  id: "mdpo",
  description: "Generalised advantages from a value head, standardised over the batch",
  options: mdpoAdvantageOptions,
  reads: ["rewards", "oldValues", "mask"],
  writes: ["advantages", "returns"],
  conventions: { std: "population, over the tokens of the batch, no eps" },
})
export class StandardisedGae implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof mdpoAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const mask = lossMask(batch);
    const values = batch.f64("oldValues");
    const rewards = new Float64Array(batch.tokens);
    batch.f64("rewards").forEach((reward, row) => {
      const from = batch.offsets[row]!;
      const last = mask.subarray(from, batch.offsets[row + 1]).lastIndexOf(1);
      if (last >= 0) rewards[from + last] = reward;
    });
    const raw = generalizedAdvantages({ rewards, values, mask, offsets: batch.offsets }, this.o.gamma, this.o.gaeLambda);
    const own = raw.filter((_, t) => mask[t]);
    return {
      columns: { advantages: standardised(raw, mask), returns: raw.map((a, t) => (mask[t] ? a + values[t]! : 0)) },
      metrics: { rawMean: mean(own), rawStd: std(own, 0) },
    };
  }
}
