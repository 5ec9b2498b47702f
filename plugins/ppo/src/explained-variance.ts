/** 1 - Var(G - V) / Var(G) over the tokens in the mask: 1 = perfect values, 0 = as good as a constant; NaN when G is constant. */
export function explainedVariance(values: ArrayLike<number>, returns: ArrayLike<number>, mask: ArrayLike<number>): number {
  const tokens = Array.from(mask, (on, t) => (on ? t : -1)).filter((t) => t >= 0);
  const variance = (of: (t: number) => number): number => {
    const center = tokens.reduce((sum, t) => sum + of(t), 0) / tokens.length;
    return tokens.reduce((sum, t) => sum + (of(t) - center) ** 2, 0);
  };
  const total = variance((t) => returns[t]!);
  return total === 0 ? Number.NaN : 1 - variance((t) => returns[t]! - values[t]!) / total;
}
