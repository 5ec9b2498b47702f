/**
 * r_i = d^(N_right(i) - 1) for a right answer, else 0, [B]: N_right(i) counts the right answers of the group up to and including
 * i in the order of the exits (ties by row), so that the earliest right exit earns 1, the next d, then d². S-GRPO (2505.07686).
 */
export function decayingRewards(
  correct: ArrayLike<number>,
  exitPosition: ArrayLike<number>,
  groupRows: readonly ArrayLike<number>[],
  decayBase: number,
): Float64Array {
  const rewards = Float64Array.from(correct, (c) => (Number.isNaN(c) ? Number.NaN : 0));
  for (const rows of groupRows) {
    let right = 0;
    for (const row of Array.from(rows).sort((a, b) => exitPosition[a]! - exitPosition[b]! || a - b)) {
      if (correct[row] !== 1) continue;
      rewards[row] = decayBase ** right;
      right++;
    }
  }
  return rewards;
}
