import { type Expr, sameShape, sizeOf } from "@proximal/core";
import type { Rule } from "./rule.js";

/** x whose last two axes are exchanged, if that is all that the transpose does. */
function matrixTransposed(x: Expr): Expr | undefined {
  if (!x.is("transpose") || x.rank < 2) return undefined;
  const { permutation } = x.attributes;
  const last = x.rank - 1;
  const swaps = permutation.every((axis, i) => axis === (i === last ? last - 1 : i === last - 1 ? last : i));
  return swaps ? x.inputs[0]! : undefined;
}

const transposedOperand: Rule = (node) => {
  if (!node.is("matmul")) return node;
  const { transposeA, transposeB } = node.attributes;
  const [a, b] = node.inputs as [Expr, Expr];
  const [ta, tb] = [matrixTransposed(a), matrixTransposed(b)];
  if (!ta && !tb) return node;
  return (ta ?? a).matmul(tb ?? b, { transposeA: transposeA !== Boolean(ta), transposeB: transposeB !== Boolean(tb) });
};

/** Without the batch axes that a broadcast only repeats. */
function withoutBatchBroadcast(x: Expr): Expr {
  if (!x.is("broadcast")) return x;
  const inner = x.inputs[0]!;
  const batch = inner.rank > 2 ? inner.shape.slice(0, -2) : [];
  return inner.broadcastTo([...batch, ...x.shape.slice(-2)]);
}

const batchBroadcast: Rule = (node) => {
  if (!node.is("matmul")) return node;
  const [a, b] = node.inputs as [Expr, Expr];
  const [x, y] = [withoutBatchBroadcast(a), withoutBatchBroadcast(b)];
  if (sameShape(x.shape, a.shape) && sameShape(y.shape, b.shape)) return node;
  return x.matmul(y, node.attributes).broadcastTo(node.shape);
};

/** Σ over the batch of aᵀb = one product over batch and rows together: the gradient of a weight. */
const batchSum: Rule = (node) => {
  if (!node.is("sum")) return node;
  const product = node.inputs[0]!;
  if (!product.is("matmul") || !product.attributes.transposeA || product.attributes.transposeB) return node;
  const [a, b] = product.inputs as [Expr, Expr];
  const batch = a.shape.slice(0, -2);
  const { axes } = node.attributes;
  if (batch.length === 0 || axes.length !== batch.length || axes.some((axis) => axis >= batch.length)) return node;
  const rows = sizeOf([...batch, a.shape.at(-2)!]);
  if (rows === undefined || !sameShape(batch, b.shape.slice(0, -2))) return node;
  return a
    .reshape([rows, a.shape.at(-1)!])
    .matmul(b.reshape([rows, b.shape.at(-1)!]), { transposeA: true })
    .reshape(node.shape);
};

export const contractionRules: readonly Rule[] = [transposedOperand, batchBroadcast, batchSum];
