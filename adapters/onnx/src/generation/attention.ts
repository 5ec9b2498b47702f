import type { Dim, Expr } from "@proximal/core";
import { softmax } from "./softmax.js";

/** Added to the score of a token that must not be seen. */
export const HIDDEN = -1e9;

export const cacheName = (part: "keys" | "values", layer: number): string => `${part}.${layer}`;

/** Softmax(q kᵀ/√D + bias) v over the last two axes; the axes before them broadcast. */
function attend(q: Expr, keys: Expr, values: Expr, bias: Expr): Expr {
  const scores = q.mul((q.shape.at(-1) as number) ** -0.5).matmul(keys, { transposeB: true });
  return softmax(scores.add(bias)).matmul(values);
}

/** One new token a row: q [B, H, D] over keys and values [B, Hkv, S, D], `bias` [B, S], → [B, H, D]. */
export function decodeAttention(q: Expr, keys: Expr, values: Expr, bias: Expr): Expr {
  const [batch, heads, width] = q.shape as [Dim, number, number];
  const groups = keys.shape[1] as number;
  const queries = q.reshape([batch, groups, heads / groups, width]);
  return attend(queries, keys, values, bias.reshape([batch, 1, 1, bias.shape[1]!])).reshape(q.shape);
}

/** Whole sequences: q [P, L, H, D] over keys and values [P, Hkv, L, D], `bias` [L, L], → [P, L, H, D]. */
export function prefillAttention(q: Expr, keys: Expr, values: Expr, bias: Expr): Expr {
  const [rows, tokens, heads, width] = q.shape as [Dim, Dim, number, number];
  const groups = keys.shape[1] as number;
  const queries = q.transpose([0, 2, 1, 3]).reshape([rows, groups, heads / groups, tokens, width]);
  return attend(queries, keys.expandDims(2), values.expandDims(2), bias).reshape([rows, heads, tokens, width]).transpose([0, 2, 1, 3]);
}
