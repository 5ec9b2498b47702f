import { statistics } from "@proximal/core";

const { std, take } = statistics;

/** A variance must be larger by this much to replace one with fewer large values. */
const TIE = 1e-12;

/**
 * Indices of the m entries with maximal population variance. The maximiser is the m - k smallest and the k largest values for
 * some k; the smallest k of the best ones wins. Values are ordered by (value, index). D3S (2509.22115).
 */
export function maxVarianceSubset(values: ArrayLike<number>, m: number): number[] {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
  let best = { variance: Number.NEGATIVE_INFINITY, subset: [] as number[] };
  for (let k = 0; k <= m; k++) {
    const subset = [...order.slice(0, m - k), ...order.slice(order.length - k)];
    const variance = std(take(values, subset), 0) ** 2;
    if (variance > best.variance + TIE) best = { variance, subset };
  }
  return best.subset;
}

/** The `count` entries of `candidates` with the highest scores; ties: the smaller index. */
export const topScores = (scores: ArrayLike<number>, candidates: readonly number[], count: number): number[] =>
  [...candidates].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, count);
