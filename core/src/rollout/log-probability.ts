/** Least log-probability that a batch holds, nats: an engine's -infinity. e^-1e4 is 0 in any precision. */
export const LEAST_LOGP = -1e4;

/** Log-probs within [-1e4, 1e4]: no infinity of an engine reaches a component. NaN stays. */
export const boundedLogp = (logp: Float64Array): Float64Array =>
  logp.every((x) => Math.abs(x) <= -LEAST_LOGP) ? logp : logp.map((x) => Math.min(Math.max(x, LEAST_LOGP), -LEAST_LOGP));
