import { addDims, broadcastShapes, concat, constant, Expr, type Range, reducedShape, type Shape, sameShape, sizeOf } from "@proximal/core";
import { elementwise, type Rule } from "./rule.js";

const isOne = (dim: Shape[number] | undefined) => dim === 1;

/** The operand with leading axes of size 1 up to `rank`. */
const padRank = (x: Expr, rank: number): Expr => x.reshape([...Array<number>(rank - x.rank).fill(1), ...x.shape]);

/** A constant that repeats one number is a broadcast scalar. */
const uniformConstant: Rule = (node) => {
  if (!node.is("constant") || node.rank === 0) return node;
  const { data } = node.attributes;
  const first = data[0];
  if (first === undefined || data.some((x) => !Object.is(x, first))) return node;
  return constant(first, [], node.dtype).broadcastTo(node.shape);
};

/** f(broadcast(x), y) = broadcast(f(x, y)): the operator broadcasts by itself. */
const broadcastOutwards: Rule = (node) => {
  if (!elementwise.has(node.op) || !node.inputs.some((x) => x.is("broadcast"))) return node;
  const inputs = node.inputs.map((x) => (x.is("broadcast") ? x.inputs[0]! : x));
  const shape = broadcastShapes(node.op, ...inputs.map((x) => x.shape));
  return new Expr(node.op, inputs, node.attributes, shape, node.dtype).broadcastTo(node.shape);
};

const broadcast: Rule = (node) => {
  if (!node.is("broadcast")) return node;
  const x = node.inputs[0]!;
  if (sameShape(x.shape, node.shape)) return x;
  if (x.is("broadcast")) return x.inputs[0]!.broadcastTo(node.shape);
  if (x.is("constant")) return node;
  const isReshape =
    x.shape.every((dim, i) => dim === node.shape[i + node.rank - x.rank]) && node.shape.slice(0, node.rank - x.rank).every(isOne);
  return isReshape ? x.reshape(node.shape) : node;
};

/** Inserting and removing axes of size 1 passes through a broadcast. */
function reshapeBroadcast(x: Expr<"broadcast">, shape: Shape): Expr | undefined {
  const inner = x.inputs[0]!;
  if (sizeOf(inner.shape) === 1) return inner.reshape([]).broadcastTo(shape);
  const from = x.shape.flatMap((dim, axis) => (isOne(dim) ? [] : [axis]));
  const to = shape.flatMap((dim, axis) => (isOne(dim) ? [] : [axis]));
  if (from.length !== to.length || from.some((axis, i) => x.shape[axis] !== shape[to[i]!])) return undefined;
  const padded = padRank(inner, x.rank);
  const target = shape.map((): Shape[number] => 1);
  from.forEach((axis, i) => {
    target[to[i]!] = padded.shape[axis]!;
  });
  return padded.reshape(target).broadcastTo(shape);
}

const reshape: Rule = (node) => {
  if (!node.is("reshape")) return node;
  const x = node.inputs[0]!;
  if (sameShape(x.shape, node.shape)) return x;
  if (x.is("reshape")) return x.inputs[0]!.reshape(node.shape);
  if (x.is("constant")) return x.rank === 0 ? x.broadcastTo(node.shape) : constant(x.attributes.data, node.shape, x.dtype);
  if (x.is("broadcast")) return reshapeBroadcast(x, node.shape) ?? node;
  if (x.is("sum") || x.is("reduceMax")) {
    const { axes, keepDims } = x.attributes as Expr<"sum">["attributes"];
    const other = reducedShape(x.inputs[0]!.shape, axes, !keepDims);
    if (sameShape(other, node.shape)) return new Expr(x.op, x.inputs, { axes, keepDims: !keepDims }, other, x.dtype);
  }
  return node;
};

const transpose: Rule = (node) => {
  if (!node.is("transpose")) return node;
  const { permutation } = node.attributes;
  const x = node.inputs[0]!;
  if (x.is("transpose")) return x.inputs[0]!.transpose(permutation.map((axis) => x.attributes.permutation[axis]!));
  if (x.is("broadcast")) return padRank(x.inputs[0]!, x.rank).transpose(permutation).broadcastTo(node.shape);
  const moved = permutation.filter((axis) => !isOne(x.shape[axis]));
  return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!) ? x.reshape(node.shape) : node;
};

const slice: Rule = (node) => {
  if (!node.is("slice")) return node;
  const x = node.inputs[0]!;
  if (sameShape(x.shape, node.shape)) return x;
  if (!x.is("broadcast") || sizeOf(node.shape) === 0) return node;
  const inner = padRank(x.inputs[0]!, x.rank);
  const { starts, ends } = node.attributes;
  return inner.slice(...inner.shape.map((dim, i): Range => (isOne(dim) ? null : [starts[i]!, ends[i]!]))).broadcastTo(node.shape);
};

/** A broadcast axis contributes its size as a factor to a sum, and nothing to a maximum. */
const reduceBroadcast: Rule = (node) => {
  if (!node.is("sum") && !node.is("reduceMax")) return node;
  const x = node.inputs[0]!;
  if (!x.is("broadcast")) return node;
  const { axes } = node.attributes as Expr<"sum">["attributes"];
  const inner = padRank(x.inputs[0]!, x.rank);
  const stretched = axes.filter((axis) => isOne(inner.shape[axis]));
  const factor = sizeOf(stretched.map((axis) => x.shape[axis]!));
  if (factor === undefined || factor === 0) return node;
  const rest = axes.filter((axis) => !stretched.includes(axis));
  const reduced = node.is("sum") ? inner.sum(rest, true) : inner.reduceMax(rest, true);
  const scaled = node.is("sum") && factor !== 1 ? reduced.mul(factor) : reduced;
  return scaled.broadcastTo(reducedShape(x.shape, axes, true)).reshape(node.shape);
};

/** Axes of size 1 need no reduction; a reduction of a reduction is one. */
const reduce: Rule = (node) => {
  if (!node.is("sum") && !node.is("reduceMax")) return node;
  const x = node.inputs[0]!;
  const { axes } = node.attributes as Expr<"sum">["attributes"];
  const again = (y: Expr, list: readonly number[]) => (node.is("sum") ? y.sum(list, true) : y.reduceMax(list, true)).reshape(node.shape);
  const real = axes.filter((axis) => !isOne(x.shape[axis]));
  if (real.length === 0) return x.reshape(node.shape);
  if (real.length < axes.length) return again(x, real);
  if (x.op === node.op) {
    const inner = x.attributes as Expr<"sum">["attributes"];
    const source = x.inputs[0]!;
    const kept = source.shape.map((_, i) => i).filter((i) => inner.keepDims || !inner.axes.includes(i));
    return again(source, [...new Set([...inner.axes, ...axes.map((axis) => kept[axis]!)])]);
  }
  return node;
};

/** Pieces that lie side by side in zeros, added: the gradient of a split is a concatenation. */
const addPads: Rule = (node) => {
  if (!node.is("add")) return node;
  const [a, b] = node.inputs as [Expr, Expr];
  if (!a.is("pad") || !b.is("pad") || !sameShape(a.shape, b.shape)) return node;
  const differing = a.shape.flatMap((_, i) =>
    a.attributes.before[i] === b.attributes.before[i] && a.attributes.after[i] === b.attributes.after[i] ? [] : [i],
  );
  const axis = differing[0];
  if (axis === undefined || differing.length > 1) return node;
  const end = (x: Expr<"pad">) => addDims(x.attributes.before[axis]!, x.inputs[0]!.shape[axis]!);
  const [left, right] = end(a) === b.attributes.before[axis] ? [a, b] : [b, a];
  if (end(left) !== right.attributes.before[axis]) return node;
  const { before } = left.attributes;
  const after = left.attributes.after.map((n, i) => (i === axis ? right.attributes.after[axis]! : n));
  return concat([left.inputs[0]!, right.inputs[0]!], axis).pad(before, after);
};

/** concat(concat(a, b), c) along the same axis; parts of size 0 vanish. */
const flattenConcat: Rule = (node) => {
  if (!node.is("concat")) return node;
  const { axis } = node.attributes;
  const nested = (x: Expr) => x.is("concat") && x.attributes.axis === axis;
  const parts = node.inputs.flatMap((x) => (nested(x) ? x.inputs : [x])).filter((x) => x.shape[axis] !== 0);
  if (parts.length === 0 || (parts.length === node.inputs.length && parts.every((x, i) => x === node.inputs[i]))) return node;
  return concat(parts, axis);
};

export const shapeRules: readonly Rule[] = [
  uniformConstant,
  broadcastOutwards,
  broadcast,
  reshape,
  transpose,
  slice,
  reduceBroadcast,
  reduce,
  addPads,
  flattenConcat,
];
