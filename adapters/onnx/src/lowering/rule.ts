import { BINARY_FLOAT, COMPARISONS, constant, type DType, type Expr, UNARY_FLOAT } from "@proximal/core";

/** Rewrites one node whose inputs are simplified already; the node itself when there is nothing to gain. */
export type Rule = (node: Expr) => Expr;

/** Primitives that work element by element and broadcast their operands. */
export const elementwise: ReadonlySet<string> = new Set([
  ...UNARY_FLOAT,
  ...BINARY_FLOAT,
  ...COMPARISONS,
  "not",
  "and",
  "or",
  "isFinite",
  "where",
  "cast",
]);

/** The number that a scalar constant holds, or a broadcast one repeats. */
export function numberOf(x: Expr): number | undefined {
  if (x.is("broadcast")) return numberOf(x.inputs[0]!);
  return x.is("constant") && x.rank === 0 ? x.attributes.data[0] : undefined;
}

/** `value` everywhere, in the shape of `like`. */
export const filled = (value: number, like: Expr, dtype: DType = like.dtype): Expr => constant(value, [], dtype).broadcastTo(like.shape);
