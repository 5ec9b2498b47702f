import { statistics } from "@proximal/core";

export interface AllocationOptions {
  alpha: number;
  beta: number;
  maxAcceptRate: number;
  minExpectedAccepted: number;
}

/** w = G / sqrt(p + α / p^(β-1)); 0 for a prompt without an accepted probe. */
const weight = (gradNorm: number, rate: number, { alpha, beta }: AllocationOptions): number =>
  gradNorm > 0 && rate > 0 ? gradNorm / Math.sqrt(rate + alpha / rate ** (beta - 1)) : 0;

/**
 * Shares r = w / Σ w of the budget, [P], which minimise Σ G²/(p·N) · 1/(1 + α/p^β) under Σ N = budget. Prompts that are too easy
 * (p > maxAcceptRate) or promise too little (p·r·budget < minExpectedAccepted) lose theirs; 0 switches a filter off. When
 * nothing is left all prompts share alike. GVM-RAFT (2505.02391).
 */
export function allocationRatios(
  gradNorm: ArrayLike<number>,
  successRate: ArrayLike<number>,
  budget: number,
  o: AllocationOptions,
): number[] {
  const weights = Array.from(gradNorm, (norm, i) => weight(norm, successRate[i]!, o));
  const total = sum(weights);
  const kept = weights.map((w, i) => {
    const [ratio, rate] = [total > 0 ? w / total : 0, successRate[i]!];
    const tooEasy = o.maxAcceptRate > 0 && rate > o.maxAcceptRate;
    const tooPoor = o.minExpectedAccepted > 0 && rate * ratio * budget < o.minExpectedAccepted;
    return tooEasy || tooPoor ? 0 : ratio;
  });
  const left = sum(kept);
  return kept.map((ratio) => (left > 0 ? ratio / left : 1 / kept.length));
}

/**
 * Integers near ratio·budget that sum to it, [P]: rounded half to even, then corrected by one where rounding erred most; ties to
 * the lowest index.
 */
export function integerAllocation(ratios: readonly number[], budget: number): number[] {
  const exact = ratios.map((ratio) => ratio * budget);
  const counts = exact.map(statistics.roundHalfEven);
  const missing = budget - sum(counts);
  const sign = Math.sign(missing);
  const lack = exact.map((x, i) => x - counts[i]!);
  const order = [...lack.keys()].sort((a, b) => sign * (lack[b]! - lack[a]!) || a - b);
  for (const i of order.slice(0, Math.abs(missing))) counts[i]! += sign;
  return counts;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
