import { ShapeError } from "../errors.js";
import { addDims, type Dim, subtractDims } from "./dim.js";
import { type Expr, onesLike, zerosLike } from "./expr.js";
import { scatterAdd, scatterElementsAdd, where } from "./functions.js";
import { topologicalOrder } from "./graph.js";
import type { Range } from "./inference.js";
import type { Op } from "./ops.js";
import { broadcastShapes, formatShape, sameShape } from "./shape.js";

type Vjp<O extends Op> = (g: Expr, node: Expr<O>, inputs: readonly Expr[]) => readonly (Expr | null)[];

const isFloat = (x: Expr) => x.dtype === "float";
const pick = (condition: Expr, g: Expr) => where(condition, g, 0);

const neverZero = (x: Expr) => x.is("constant") && x.attributes.data.every((value) => value !== 0);

/** Puts back the axes that a reduction removed, so that g broadcasts against the reduction's input. */
function expandReduced(g: Expr, x: Expr, axes: readonly number[], keepDims: boolean): Expr {
  return keepDims ? g : g.reshape(x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim)));
}

/** Sums g over the axes that broadcasting added or stretched. `ShapeError` where g is no broadcast of `like`. */
export function unbroadcast(g: Expr, like: Expr): Expr {
  if (sameShape(g.shape, like.shape)) return g;
  if (!sameShape(broadcastShapes("gradient", g.shape, like.shape), g.shape)) {
    throw new ShapeError(`gradient: ${formatShape(g.shape)} does not fit an operand of ${formatShape(like.shape)}`);
  }
  const lead = g.rank - like.rank;
  const axes = g.shape.flatMap((dim, i) => (i < lead || (like.shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  return g.sum(axes, true).reshape(like.shape);
}

/**
 * Vector–Jacobian products: for each primitive, the gradient of each input given the gradient g of the output.
 * Shapes may still be broadcast; the walk below sums them back. A primitive that is not listed has no gradient.
 */
const vjps: { [O in Op]?: Vjp<O> } = {
  neg: (g) => [g.neg()],
  abs: (g, _, [x]) => [g.mul(x!.sign())],
  exp: (g, y) => [g.mul(y)],
  log: (g, _, [x]) => [g.div(x!)],
  log1p: (g, _, [x]) => [g.div(x!.add(1))],
  expm1: (g, y) => [g.mul(y.add(1))],
  tanh: (g, y) => [g.mul(y.square().neg().add(1))],
  sigmoid: (g, y) => [g.mul(y).mul(y.neg().add(1))],
  softplus: (g, _, [x]) => [g.mul(x!.sigmoid())],
  sqrt: (g, y) => [g.mul(0.5).div(y)],
  sin: (g, _, [x]) => [g.mul(x!.cos())],
  cos: (g, _, [x]) => [g.mul(x!.sin()).neg()],
  erf: (g, _, [x]) => [g.mul(x!.square().neg().exp()).mul(2 / Math.sqrt(Math.PI))],
  add: (g) => [g, g],
  sub: (g) => [g, g.neg()],
  mul: (g, _, [a, b]) => [g.mul(b!), g.mul(a!)],
  div: (g, y, [, b]) => [g.div(b!), g.mul(y).div(b!).neg()],
  // At a = 0 the limits are taken: d/da a⁰ = 0, and d/db 0ᵇ = 0 for b > 0.
  pow: (g, y, [a, b]) => [
    g.mul(b!).mul(a!.pow(neverZero(b!) ? b!.sub(1) : where(b!.equal(0), 1, b!.sub(1)))),
    g.mul(where(a!.equal(0), 0, y.mul(where(a!.equal(0), 1, a!).log()))),
  ],
  // On a tie the first operand takes the whole gradient: min(r·A, clip(r)·A) inside the clip keeps that of r·A.
  min: (g, _, [a, b]) => [pick(a!.lessEqual(b!), g), pick(b!.less(a!), g)],
  max: (g, _, [a, b]) => [pick(b!.lessEqual(a!), g), pick(a!.less(b!), g)],
  where: (g, _, [condition]) => [null, pick(condition!, g), where(condition!, 0, g)],
  matmul: (g, node, [a, b]) => {
    const { transposeA, transposeB } = node.attributes;
    const ga = transposeA ? b!.matmul(g, { transposeA: transposeB, transposeB: true }) : g.matmul(b!, { transposeB: !transposeB });
    const gb = transposeB ? g.matmul(a!, { transposeA: true, transposeB: transposeA }) : a!.matmul(g, { transposeA: !transposeA });
    return [ga, gb];
  },
  sum: (g, node, [x]) => [expandReduced(g, x!, node.attributes.axes, node.attributes.keepDims).broadcastTo(x!.shape)],
  // Equal maxima share the gradient evenly.
  reduceMax: (g, node, [x]) => {
    const { axes, keepDims } = node.attributes;
    const isPeak = x!.equal(expandReduced(node, x!, axes, keepDims)).cast("float");
    return [expandReduced(g, x!, axes, keepDims).mul(isPeak.div(isPeak.sum(axes, true)))];
  },
  cumsum: (g, node) => [g.cumsum(node.attributes.axis, { exclusive: node.attributes.exclusive, reverse: !node.attributes.reverse })],
  reshape: (g, _, [x]) => [g.reshape(x!.shape)],
  transpose: (g, node) => {
    const inverse: number[] = [];
    node.attributes.permutation.forEach((axis, i) => {
      inverse[axis] = i;
    });
    return [g.transpose(inverse)];
  },
  slice: (g, node, [x]) => {
    const { starts, ends } = node.attributes;
    return [
      g.pad(
        starts,
        x!.shape.map((dim, i) => subtractDims(dim, ends[i] ?? dim)),
      ),
    ];
  },
  pad: (g, node, [x]) => [g.slice(...node.attributes.before.map((start, i): Range => [start, addDims(start, x!.shape[i]!)]))],
  concat: (g, node, parts) => {
    const { axis } = node.attributes;
    let end: Dim = 0;
    return parts.map((part) => {
      const start = end;
      end = addDims(start, part.shape[axis]!);
      return g.slice(...g.shape.map((_, i): Range => (i === axis ? [start, end] : null)));
    });
  },
  broadcast: (g) => [g],
  gather: (g, node, [data, indices]) => [scatterAdd(indices!, g, node.attributes.axis, data!.shape[node.attributes.axis]!), null],
  scatterAdd: (g, node, [indices]) => [null, g.gather(indices!, node.attributes.axis)],
  gatherElements: (g, node, [data, indices]) => [
    scatterElementsAdd(indices!, g, node.attributes.axis, data!.shape[node.attributes.axis]!),
    null,
  ],
  scatterElementsAdd: (g, node, [indices]) => [null, g.gatherElements(indices!, node.attributes.axis)],
  topKValues: (g, node, [x]) => [scatterElementsAdd(x!.topK(node.attributes.k).indices, g, x!.rank - 1, x!.shape.at(-1)!)],
  customGradient: (g, node, [, ...xs]) => {
    const values = node.attributes.vjp(g, xs);
    if (values.length !== xs.length) {
      throw new ShapeError(`customGradient: its function gives ${values.length} gradients for ${xs.length} inputs`);
    }
    return [null, ...values];
  },
  guard: (g) => [g, null],
};

/** The primitives that pass a gradient on to their operands. */
export const DIFFERENTIABLE: ReadonlySet<Op> = new Set(Object.keys(vjps) as Op[]);

/**
 * Reverse-mode gradient of a scalar `loss` with respect to each of `wrt`, as expressions of the same shapes.
 * Integer and boolean paths, comparisons, `floor`, `sign` and `stopGradient` carry none; an expression that the loss
 * does not depend on gets zeros. `seed` replaces the leading 1; with it the loss may have any shape.
 * `ShapeError` for a loss that is neither scalar nor seeded, or a `wrt` that is not float.
 */
export function gradient(loss: Expr, wrt: readonly Expr[], seed?: Expr): Expr[] {
  if (seed === undefined && loss.rank > 0) {
    throw new ShapeError(`gradient: the loss has the shape ${formatShape(loss.shape)}`, {
      accepted: "a scalar, or a seed of the loss's shape",
    });
  }
  return vectorJacobianProduct([{ output: loss, cotangent: seed ?? onesLike(loss) }], wrt);
}

/** Sum over the outputs of cotangent · d output / d wrt: the backward pass from several outputs at once. */
export function vectorJacobianProduct(seeds: readonly { output: Expr; cotangent: Expr }[], wrt: readonly Expr[]): Expr[] {
  for (const x of wrt) if (!isFloat(x)) throw new ShapeError(`gradient: there is none with respect to ${x.dtype} ${formatShape(x.shape)}`);
  const order = topologicalOrder(seeds.map((seed) => seed.output));
  const targets = new Set(wrt);
  const relevant = new Set<Expr>();
  for (const node of order) if (targets.has(node) || node.inputs.some((x) => relevant.has(x))) relevant.add(node);

  const gradients = new Map<Expr, Expr>();
  const accumulate = (node: Expr, g: Expr) => {
    const before = gradients.get(node);
    gradients.set(node, before ? before.add(g) : g);
  };
  for (const { output, cotangent } of seeds) if (isFloat(output)) accumulate(output, cotangent.broadcastTo(output.shape));

  for (const node of order.reverse()) {
    const g = gradients.get(node);
    const vjp = vjps[node.op] as Vjp<Op> | undefined;
    if (g === undefined || vjp === undefined || !relevant.has(node)) continue;
    vjp(g, node, node.inputs).forEach((value, i) => {
      const operand = node.inputs[i]!;
      if (value !== null && isFloat(operand) && relevant.has(operand)) accumulate(operand, unbroadcast(value, operand));
    });
  }
  return wrt.map((x) => gradients.get(x) ?? zerosLike(x));
}
