import { statistics } from "@proximal/core";
import { gammaln } from "simple-statistics";

const { mean, std } = statistics;

/** Below it all groups have the same success rate and the method of moments has no answer. */
const NO_SPREAD = 1e-12;

export interface BetaShape {
  alpha: number;
  beta: number;
}

/**
 * Normaliser of the groups' success rates: a Beta fit by moments (mean m, sample variance v, k = m(1-m)/v - 1), then
 * alpha = max(1, 1 + k·m/c), beta = max(1, 1 + k·(1-m)/c). One group or no spread: 1, 1.
 */
export function fitBeta(rates: readonly number[], shapeDivisor: number): BetaShape {
  const v = std(rates, 1) ** 2;
  if (rates.length < 2 || v <= NO_SPREAD) return { alpha: 1, beta: 1 };
  const m = mean(rates);
  const k = (m * (1 - m)) / v - 1;
  return { alpha: Math.max(1, 1 + (k * m) / shapeDivisor), beta: Math.max(1, 1 + (k * (1 - m)) / shapeDivisor) };
}

/** (shape - 1)·ln x with 0·ln 0 = 0. */
const power = (exponent: number, x: number): number => (exponent === 0 ? 0 : exponent * Math.log(x));

/** min(weightMax, 1 / f(p)) for the Beta(alpha, beta) density f. */
export function inverseDensity(p: number, { alpha, beta }: BetaShape, weightMax: number): number {
  const logDensity = power(alpha - 1, p) + power(beta - 1, 1 - p) - gammaln(alpha) - gammaln(beta) + gammaln(alpha + beta);
  return Math.min(weightMax, Math.exp(-logDensity));
}
