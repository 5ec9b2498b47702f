import { addDims, concat, constant, type Expr, type Range, reducedShape, type Shape, sameShape, sizeOf } from "@proximal/core";
import type { RuleTable } from "./rule.js";

const isOne = (dim: Shape[number] | undefined) => dim === 1;

/** The operand with leading axes of size 1 up to `rank`. */
const padRank = (x: Expr, rank: number): Expr => x.reshape([...Array<number>(rank - x.rank).fill(1), ...x.shape]);

/** Inserting and removing axes of size 1 passes through a broadcast. */
function reshapeBroadcast(x: Expr<"broadcast">, shape: Shape): Expr | undefined {
  const inner = x.inputs[0]!;
  if (sizeOf(inner.shape) === 1) return inner.reshape([]);
  const from = x.shape.flatMap((dim, axis) => (isOne(dim) ? [] : [axis]));
  const to = shape.flatMap((dim, axis) => (isOne(dim) ? [] : [axis]));
  if (from.length !== to.length || from.some((axis, i) => x.shape[axis] !== shape[to[i]!])) return undefined;
  const padded = padRank(inner, x.rank);
  const target = shape.map((): Shape[number] => 1);
  from.forEach((axis, i) => {
    target[to[i]!] = padded.shape[axis]!;
  });
  return padded.reshape(target);
}

type Reduction = Expr<"sum"> | Expr<"reduceMax">;

const isSum = (node: Reduction): node is Expr<"sum"> => (node as Expr).is("sum");
/** The same reduction over other axes; all of them give a scalar, others keep their place with size 1. */
function reduceLike(node: Reduction, x: Expr, axes: readonly number[]): Expr {
  const keepDims = axes.length < x.rank;
  return isSum(node) ? x.sum(axes, keepDims) : x.reduceMax(axes, keepDims);
}

/** Over a broadcast axis a sum is a multiple, a maximum is the element. */
function reduceBroadcast(node: Reduction, x: Expr<"broadcast">): Expr | undefined {
  const { axes } = node.attributes;
  const inner = x.inputs[0]!;
  const lead = x.rank - inner.rank;
  const isRepeated = (axis: number) => axis < lead || isOne(inner.shape[axis - lead]);
  const count = sizeOf(axes.filter(isRepeated).map((axis) => x.shape[axis]!));
  if (count === undefined || count === 0) return undefined;
  const rest = axes.filter((axis) => !isRepeated(axis)).map((axis) => axis - lead);
  const reduced = reduceLike(node, inner, rest);
  const total = isSum(node) && count !== 1 ? reduced.mul(count) : reduced;
  return total.broadcastTo(reducedShape(x.shape, axes, true)).reshape(node.shape);
}

/** Axes of size 1 need no reduction; a reduction of a reduction is one. */
function reduce(node: Reduction): Expr | undefined {
  const x = node.inputs[0]!;
  const { axes } = node.attributes;
  if (x.is("broadcast")) return reduceBroadcast(node, x);
  const long = axes.filter((axis) => !isOne(x.shape[axis]));
  if (long.length === 0) return x.reshape(node.shape);
  if (long.length < axes.length) return reduceLike(node, x, long).reshape(node.shape);
  if (x.op !== node.op) return undefined;
  const { axes: innerAxes, keepDims } = (x as Reduction).attributes;
  const source = x.inputs[0]!;
  const kept = source.shape.map((_, i) => i).filter((i) => keepDims || !innerAxes.includes(i));
  return reduceLike(node, source, [...new Set([...innerAxes, ...axes.map((axis) => kept[axis]!)])]).reshape(node.shape);
}

/** Pieces that lie side by side in zeros, added: the gradient of a split is a concatenation. */
function joinPads(a: Expr<"pad">, b: Expr<"pad">): Expr | undefined {
  const differing = a.shape.flatMap((_, i) =>
    a.attributes.before[i] === b.attributes.before[i] && a.attributes.after[i] === b.attributes.after[i] ? [] : [i],
  );
  const axis = differing[0];
  if (axis === undefined || differing.length > 1 || !sameShape(a.shape, b.shape)) return undefined;
  const end = (x: Expr<"pad">) => addDims(x.attributes.before[axis]!, x.inputs[0]!.shape[axis]!);
  const [left, right] = end(a) === b.attributes.before[axis] ? [a, b] : [b, a];
  if (end(left) !== right.attributes.before[axis]) return undefined;
  const { before, after } = left.attributes;
  const joined = concat([left.inputs[0]!, right.inputs[0]!], axis);
  return joined.pad(
    before,
    after.map((n, i) => (i === axis ? right.attributes.after[axis]! : n)),
  );
}

/** Rules that let data stay where it is. */
export const shape: RuleTable = {
  // A constant that repeats one number is a broadcast scalar.
  constant: (node) => {
    const { data } = node.attributes;
    const [first] = data;
    const repeats = data.length > 1 && !data.some((x) => !Object.is(x, first));
    return repeats ? constant(first!, [], node.dtype) : undefined;
  },
  broadcast: (node, [x]) => {
    if (sameShape(x!.shape, node.shape)) return x;
    const lead = node.rank - x!.rank;
    const onlyRank = node.shape.every((dim, i) => dim === (i < lead ? 1 : x!.shape[i - lead]));
    return onlyRank ? x!.reshape(node.shape) : undefined;
  },
  reshape: (node, [x]) => {
    if (sameShape(x!.shape, node.shape)) return x;
    if (x!.is("constant")) return constant(x!.attributes.data, node.shape, x!.dtype);
    return x!.is("broadcast") ? reshapeBroadcast(x!, node.shape) : undefined;
  },
  // Moving axes of size 1 moves no element.
  transpose: (node, [x]) => {
    const { permutation } = node.attributes;
    if (x!.is("broadcast")) return padRank(x!.inputs[0]!, x!.rank).transpose(permutation);
    const long = permutation.filter((axis) => !isOne(x!.shape[axis]));
    return long.every((axis, i) => i === 0 || axis > long[i - 1]!) ? x!.reshape(node.shape) : undefined;
  },
  slice: (node, [x]) => {
    if (sameShape(x!.shape, node.shape)) return x;
    if (!x!.is("broadcast") || sizeOf(node.shape) === 0) return undefined;
    const { starts, ends } = node.attributes;
    const inner = padRank(x!.inputs[0]!, x!.rank);
    return inner.slice(...inner.shape.map((dim, i): Range => (isOne(dim) ? null : [starts[i]!, ends[i]!])));
  },
  sum: reduce,
  reduceMax: reduce,
  add: (_, [a, b]) => (a!.is("pad") && b!.is("pad") ? joinPads(a!, b!) : undefined),
  // concat(concat(a, b), c) along one axis; parts of size 0 vanish.
  concat: (node, inputs) => {
    const { axis } = node.attributes;
    const parts = inputs.flatMap((x) => (x.is("concat") && x.attributes.axis === axis ? x.inputs : [x])).filter((x) => x.shape[axis] !== 0);
    const same = parts.length === inputs.length && parts.every((x, i) => x === inputs[i]);
    return same || parts.length === 0 ? undefined : concat(parts, axis);
  },
};
