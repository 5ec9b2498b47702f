import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  generalizedAdvantages,
  lossMask,
  options,
  type Static,
  Type,
} from "@proximal/core";

export const drpoAdvantageOptions = Type.Object({
  gamma: Type.Number({ default: 1, minimum: 0, maximum: 1, description: "Discount a token" }),
  lambda: Type.Number({ default: 0.95, minimum: 0, maximum: 1, description: "Trace parameter of GAE" }),
  klCoef: Type.Number({ default: 0.05, minimum: 0, description: "Weight of log π_old - log π_ref in the token rewards" }),
  whitenRewards: Type.Boolean({ default: true, description: "Scale the token rewards to variance 1, their mean kept" }),
  whitenAdvantages: Type.Boolean({ default: true, description: "Scale the advantages to mean 0 and variance 1" }),
  missingEosReward: Type.Union([Type.Number(), Type.Null()], {
    default: -1,
    description: "Reward of a response that was cut at the length limit, in place of its score; null = off",
  }),
});

const VARIANCE_EPS = 1e-8;

/** (x - m) / sqrt(v + 1e-8), plus m when `keepMean`; mean m and population variance v over the tokens in the mask. [tokens], 0 outside. */
export function whitened(values: Float64Array, mask: ArrayLike<number>, keepMean: boolean): Float64Array {
  const own = values.filter((_, t) => mask[t]);
  const mean = own.reduce((a, b) => a + b, 0) / own.length;
  const variance = own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length;
  const scale = Math.sqrt(variance + VARIANCE_EPS);
  return values.map((x, t) => (mask[t] ? (x - mean) / scale + (keepMean ? mean : 0) : 0));
}

/**
 * GAE on r_t = -klCoef·(log π_old - log π_ref), plus the response's score at its last token, over all tokens, those of the
 * reference prefix included; value targets A + V are taken before whitening. [tokens]. DR-PO (2404.08495).
 */
@advantageEstimator({
  id: "dr-po",
  description: "Generalised advantages with the KL in whitened token rewards, reference prefixes included",
  options: drpoAdvantageOptions,
  reads: ["rewards", "oldValues", "oldLogp", "refLogp", { name: "truncated", optional: true }],
  writes: ["advantages", "returns"],
  conventions: { std: "whitened over all tokens: population variance + 1e-8", kl: "in the reward, sampling policy against reference" },
})
export class DrPoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof drpoAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const { gamma, lambda, klCoef, whitenRewards, whitenAdvantages } = this.o;
    const mask = lossMask(batch);
    const [values, refLogp] = [batch.f64("oldValues"), batch.f64("refLogp")];
    const kl = batch.f64("oldLogp").map((logp, t) => (mask[t] ? logp - refLogp[t]! : 0));
    const shaped = kl.map((k) => -klCoef * k);
    this.scores(batch).forEach((score, row) => {
      const last = mask.subarray(batch.offsets[row], batch.offsets[row + 1]).lastIndexOf(1);
      if (last >= 0) shaped[batch.offsets[row]! + last]! += score;
    });
    const rewards = whitenRewards ? whitened(shaped, mask, true) : shaped;
    const raw = generalizedAdvantages({ rewards, values, mask, offsets: batch.offsets }, gamma, lambda);
    const returns = raw.map((a, t) => (mask[t] ? a + values[t]! : 0));
    const advantages = whitenAdvantages ? whitened(raw, mask, false) : raw;
    return {
      columns: { advantages, returns },
      metrics: { klOfResponse: kl.reduce((a, b) => a + b, 0) / Math.max(1, batch.rows) },
    };
  }

  /** [B] what the reward model says; the fixed reward for a response without an end. */
  private scores(batch: Batch): Float64Array {
    const { missingEosReward } = this.o;
    const cut = batch.has("truncated") ? batch.f64("truncated") : undefined;
    return batch.f64("rewards").map((score, row) => (missingEosReward !== null && cut?.[row] === 1 ? missingEosReward : score));
  }
}
