import type { Expr } from "@proximal/core";

export const KL_FORMS = ["weightedShifted", "weighted", "logq"] as const;
export type KlForm = (typeof KL_FORMS)[number];

/** Log-ratios are clamped before the exponential, as everywhere. */
const LOG_RATIO_LIMIT = 20;
/** Largest exponent that float32 holds. */
const EXPONENT_LIMIT = 80;

/** log_q(x) = (x^(1 - q) - 1) / (1 - q) of x = exp(logx), with k = 1 - q; the logarithm at k = 0. Tsallis. */
const logQ = (logx: Expr, k: number): Expr => (k === 0 ? logx : logx.mul(k).min(EXPONENT_LIMIT).expm1().div(k));

/**
 * Estimate of KL(π || π_k) at sampled tokens, new policy first, nats; any shape.
 * - weighted: r·log r
 * - weightedShifted: r·log r - r + 1, never negative, no gradient at r = 1
 * - logq: log_q'(π) - log_q'(π_k) with q' = 2 - tsallisQ, without the ratio
 * MDPO (2005.09814), logq as in its code; the weighted forms are token-level readings.
 */
export function proximity(form: KlForm, logp: Expr, oldLogp: Expr, tsallisQ: number): Expr {
  if (form === "logq") return logQ(logp, tsallisQ - 1).sub(logQ(oldLogp, tsallisQ - 1));
  const logRatio = logp.sub(oldLogp).clip(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT);
  const ratio = logRatio.exp();
  const weighted = ratio.mul(logRatio);
  return form === "weighted" ? weighted : weighted.sub(ratio).add(1);
}

/** -r·A + KL / t: the linearised objective and the pull towards the old policy, without a clip. MDPO (2005.09814), eq. 5. */
export const mirrorDescent = (ratio: Expr, advantages: Expr, kl: Expr, inverseStep: Expr | number): Expr =>
  kl.mul(inverseStep).sub(ratio.mul(advantages));
