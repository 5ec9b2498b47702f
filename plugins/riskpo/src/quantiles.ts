/** Levels of the tracked quantiles: 0.05, 0.10, …, 0.95. */
export const LEVELS: readonly number[] = Array.from({ length: 19 }, (_, i) => (i + 1) * 0.05);

const NEAR = 1e-9;

/** Linearly interpolated quantile: sorted, position level·(n - 1). */
export function quantile(values: ArrayLike<number>, level: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = level * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}

/** The tracked quantile of the level nearest to `level`; of two equally near ones the lower. */
export function trackedQuantile(quantiles: readonly number[], level: number): number {
  let best = 0;
  LEVELS.forEach((candidate, i) => {
    if (Math.abs(candidate - level) < Math.abs(LEVELS[best]! - level) - NEAR) best = i;
  });
  return quantiles[best]!;
}

/** First the empirical quantiles; then q ← q + lr·(level - share of scores below q). */
export function updateQuantiles(quantiles: readonly number[] | null, scores: readonly number[], lr: number): number[] {
  if (quantiles === null) return LEVELS.map((level) => quantile(scores, level));
  return quantiles.map((q, i) => q + lr * (LEVELS[i]! - scores.filter((score) => score < q).length / scores.length));
}
