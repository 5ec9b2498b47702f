import type { Context, Expr } from "@proximal/core";

/**
 * Aggregate proximity control: 1 + clip(e_t, ±B_t), e = r - 1, with what the other tokens of the response leave of its budget,
 *   B_t = max(T·δ - Σ_{k≠t} |e_k|, 0), [B, T].
 * The gradient runs through B_t as well: a token at its bound pushes all others back. 2603.08239.
 */
export function apcRatio(context: Context, delta: number): { ratio: Expr; bound: Expr } {
  const deviation = context.ratio.sub(1);
  const size = deviation.abs();
  const others = context.sequenceSum(size).sub(size);
  const bound = context.lengths.mul(delta).sub(others).max(0);
  return { ratio: deviation.clip(bound.neg(), bound).add(1), bound: size.greater(bound) };
}
