import { concat, type Dim, type Expr } from "@proximal/core";
import { softmax } from "./softmax.js";

/** Added to the score of a token that must not be seen. */
export const HIDDEN = -1e9;

export const cacheName = (part: "keys" | "values", layer: number): string => `${part}.${layer}`;

export interface KeysAndValues {
  keys: Expr;
  values: Expr;
}

/** q kᵀ/√D over the last two axes. */
const scores = (q: Expr, keys: Expr): Expr => q.mul((q.shape.at(-1) as number) ** -0.5).matmul(keys, { transposeB: true });

/**
 * One new token a row, q [B, H, D], over two caches [B, Hkv, S, D] of different lengths → [B, H, D]. `bias` [B, S] is added to
 * the scores of the first. The second grows: only it is copied when a token is added.
 */
export function decodeAttention(q: Expr, cached: KeysAndValues & { bias: Expr }, recent: KeysAndValues): Expr {
  const [batch, heads, width] = q.shape as [Dim, number, number];
  const [, groups, length] = cached.keys.shape as [Dim, number, Dim];
  const queries = q.reshape([batch, groups, heads / groups, width]);
  const earlier = scores(queries, cached.keys).add(cached.bias.reshape([batch, 1, 1, length]));
  const weights = softmax(concat([earlier, scores(queries, recent.keys)], -1));
  const [first, second] = [weights.slice(null, null, null, [0, length]), weights.slice(null, null, null, [length, null])];
  return first.matmul(cached.values).add(second.matmul(recent.values)).reshape(q.shape);
}

/** Whole sequences: q [P, L, H, D] over keys and values [P, Hkv, L, D], `bias` [L, L], → [P, L, H, D]. */
export function prefillAttention(q: Expr, { keys, values }: KeysAndValues, bias: Expr): Expr {
  const [rows, tokens, heads, width] = q.shape as [Dim, Dim, number, number];
  const groups = keys.shape[1] as number;
  const queries = q.transpose([0, 2, 1, 3]).reshape([rows, groups, heads / groups, tokens, width]);
  return softmax(scores(queries, keys.expandDims(2)).add(bias))
    .matmul(values.expandDims(2))
    .reshape([rows, heads, tokens, width])
    .transpose([0, 2, 1, 3]);
}
