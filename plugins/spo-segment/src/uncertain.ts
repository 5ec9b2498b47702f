import { type Batch, lossMask, statistics, Type } from "@proximal/core";

export const probThresholdOption = Type.Number({
  default: 0.9,
  exclusiveMinimum: 0,
  maximum: 1,
  description: "Tokens that the sampling policy gave at least this probability are left out",
});

export const whitenOption = Type.Boolean({ default: true, description: "Whiten the advantages over the uncertain tokens of the batch" });

/** Flat [tokens]: probability of each token under the policy that sampled. */
export const oldProbs = (batch: Batch): Float64Array => {
  const mask = lossMask(batch);
  return batch.f64("oldLogp").map((logp, t) => (mask[t] ? Math.exp(logp) : 1));
};

/** Flat [tokens]: the policy's own tokens below the threshold. */
export const uncertainTokens = (batch: Batch, probThreshold: number): Uint8Array => {
  const logp = batch.f64("oldLogp");
  return lossMask(batch).map((on, t) => (on && Math.exp(logp[t]!) < probThreshold ? 1 : 0));
};

/** (A - mean) / sqrt(variance + 1e-8) with the sample variance over the marked tokens; 0 elsewhere. */
export const whitenedOver = (advantages: Float64Array, marked: Uint8Array): Float64Array =>
  statistics.whiten(advantages, marked).map((a, t) => (marked[t] ? a : 0));
