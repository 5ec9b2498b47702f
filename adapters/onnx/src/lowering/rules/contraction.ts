import { type Expr, sameShape, sizeOf } from "@proximal/core";
import type { RuleTable } from "./rule.js";

/** x whose last two axes are exchanged, if that is all that the transpose does. */
function matrixTransposed(x: Expr): Expr | undefined {
  if (!x.is("transpose") || x.rank < 2) return undefined;
  const { permutation } = x.attributes;
  const last = x.rank - 1;
  const swaps = permutation.every((axis, i) => axis === (i === last ? last - 1 : i === last - 1 ? last : i));
  return swaps ? x.inputs[0]! : undefined;
}

/** Without the batch axes that a broadcast only repeats. */
function withoutBatchBroadcast(x: Expr): Expr {
  if (!x.is("broadcast")) return x;
  const inner = x.inputs[0]!;
  const batch = inner.rank > 2 ? inner.shape.slice(0, -2) : [];
  return inner.broadcastTo([...batch, ...x.shape.slice(-2)]);
}

export const contraction: RuleTable = {
  // A transposed operand is read transposed; a batch is not repeated before the product.
  matmul: (node, [a, b]) => {
    const { transposeA, transposeB } = node.attributes;
    const [ta, tb] = [matrixTransposed(a!), matrixTransposed(b!)];
    if (ta || tb) {
      return (ta ?? a!).matmul(tb ?? b!, { transposeA: transposeA !== Boolean(ta), transposeB: transposeB !== Boolean(tb) });
    }
    const [x, y] = [withoutBatchBroadcast(a!), withoutBatchBroadcast(b!)];
    return sameShape(x.shape, a!.shape) && sameShape(y.shape, b!.shape) ? undefined : x.matmul(y, node.attributes);
  },
  // Σ over the batch of aᵀb = one product over batch and rows together: the gradient of a weight.
  sum: (node, [product]) => {
    if (!product!.is("matmul") || !product!.attributes.transposeA || product!.attributes.transposeB) return undefined;
    const [a, b] = product!.inputs as [Expr, Expr];
    const batch = a.shape.slice(0, -2);
    const { axes } = node.attributes;
    if (batch.length === 0 || axes.length !== batch.length || axes.some((axis) => axis >= batch.length)) return undefined;
    const rows = sizeOf([...batch, a.shape.at(-2)!]);
    if (rows === undefined || !sameShape(batch, b.shape.slice(0, -2))) return undefined;
    const flat = (x: Expr) => x.reshape([rows, x.shape.at(-1)!]);
    return flat(a).matmul(flat(b), { transposeA: true }).reshape(node.shape);
  },
};
