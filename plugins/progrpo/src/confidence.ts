import { statistics } from "@proximal/core";

/**
 * exp of the mean of the m = max(1, ceil(lowFraction·n)) smallest log-probs; 1 for an empty sequence. Nats in, (0, 1] out.
 * ProGRPO (2602.05281): tokens of templates, with probabilities near 1, are left out by construction.
 */
export function lowProbabilityConfidence(logp: ArrayLike<number>, lowFraction: number): number {
  if (logp.length === 0) return 1;
  const count = Math.max(1, Math.ceil(lowFraction * logp.length - 1e-9));
  return Math.exp(statistics.mean(Float64Array.from(logp).sort().subarray(0, count)));
}
