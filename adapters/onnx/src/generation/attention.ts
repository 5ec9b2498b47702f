import { concat, type Dim, type Expr, external } from "@proximal/core";
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

/** Cached sequences, each once, and the rows that go on from them. */
export interface CachedSequences extends KeysAndValues {
  /** [E, S], added to the scores. */
  bias: Expr;
  /** int [E, C]: the rows of each sequence; places without one repeat a row. */
  rowAt: Expr;
  /** int [B, 2]: sequence and place of each row. */
  placeOf: Expr;
}

/** Values of rows [B, G, R, N] at their places, one matrix a head: [E, G, R, C, N]. */
const toPlaces = (x: Expr, { rowAt }: CachedSequences): Expr => x.gather(rowAt, 0).transpose([0, 2, 3, 1, 4]);

/** The inverse of `toPlaces`. */
function toRows(x: Expr, { placeOf }: CachedSequences): Expr {
  const places = x.transpose([0, 3, 1, 2, 4]);
  return external("GatherND", [places, placeOf], [{ shape: [placeOf.shape[0]!, ...places.shape.slice(2)], dtype: "float" }])[0]!;
}

/**
 * One new token a row, q [B, H, D], over two caches → [B, H, D]: sequences [E, Hkv, S, D] that several rows share, read once
 * for all of them, and what each row added since, [B, Hkv, S', D]. Only the second grows: only it is copied when a token is
 * added.
 */
export function decodeAttention(q: Expr, cached: CachedSequences, recent: KeysAndValues): Expr {
  const [batch, heads, width] = q.shape as [Dim, number, number];
  const [entries, groups, length] = cached.keys.shape as [Dim, number, Dim];
  const queries = q.reshape([batch, groups, heads / groups, width]);
  const earlier = scores(toPlaces(queries, cached), cached.keys.expandDims(2)).add(cached.bias.reshape([entries, 1, 1, 1, length]));
  const weights = softmax(concat([toRows(earlier, cached), scores(queries, recent.keys)], -1));
  const [first, second] = [weights.slice(null, null, null, [0, length]), weights.slice(null, null, null, [length, null])];
  const seen = toRows(toPlaces(first, cached).matmul(cached.values.expandDims(2)), cached);
  return seen.add(second.matmul(recent.values)).reshape(q.shape);
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
