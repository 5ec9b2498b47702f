import { evaluate } from "./evaluate.js";
import { constant, type Expr } from "./expr.js";
import { topologicalOrder } from "./graph.js";
import { reducedShape } from "./inference.js";
import type { Op } from "./ops.js";
import { broadcastShapes, sameShape, sizeOf } from "./shape.js";
import { Numbering, withInputs } from "./structure.js";

type Rule<O extends Op> = (node: Expr<O>, inputs: readonly Expr[]) => Expr | undefined;

/** The number that a constant of one element holds. */
const literal = (x: Expr): number | undefined => (x.is("constant") && x.attributes.data.length === 1 ? x.attributes.data[0] : undefined);

const isLiteral = (x: Expr, value: number): boolean => Object.is(literal(x), value);

const NEVER_NEGATIVE = new Set<Op>(["exp", "sigmoid", "softplus", "abs"]);

/** Whether x is certainly not −0, which x + 0 would turn into 0. */
const neverMinusZero = (x: Expr): boolean =>
  x.dtype === "int" || NEVER_NEGATIVE.has(x.op) || x.op === "sum" || (x.is("cast") && x.inputs[0]!.dtype !== "float");

const zeroAddedTo = (x: Expr, zero: Expr): boolean => isLiteral(zero, -0) || (isLiteral(zero, 0) && neverMinusZero(x));

/** Rules by primitive; `undefined` = nothing to gain. Each keeps every value, up to its last bit and its NaN. */
const rules: { [O in Op]?: Rule<O> } = {
  neg: (_, [x]) => (x!.is("neg") ? x!.inputs[0] : undefined),
  not: (_, [x]) => (x!.is("not") ? x!.inputs[0] : undefined),
  stopGradient: (_, [x]) => (x!.is("stopGradient") ? x : undefined),
  add: (_, [a, b]) => {
    if (zeroAddedTo(a!, b!)) return a;
    if (zeroAddedTo(b!, a!)) return b;
    if (b!.is("neg")) return a!.sub(b!.inputs[0]!);
    return a!.is("neg") ? b!.sub(a!.inputs[0]!) : undefined;
  },
  sub: (_, [a, b]) => {
    if (isLiteral(b!, 0)) return a;
    return b!.is("neg") ? a!.add(b!.inputs[0]!) : undefined;
  },
  mul: (_, [a, b]) => {
    if (isLiteral(b!, 1)) return a;
    if (isLiteral(a!, 1)) return b;
    if (isLiteral(b!, -1)) return a!.neg();
    return isLiteral(a!, -1) ? b!.neg() : undefined;
  },
  div: (_, [a, b]) => (isLiteral(b!, 1) ? a : undefined),
  pow: (_, [a, b]) => (isLiteral(b!, 1) ? a : undefined),
  where: (_, [condition, a, b]) => {
    const known = literal(condition!);
    if (known !== undefined) return known ? a : b;
    return a === b ? a : undefined;
  },
  reshape: (node, [x]) => {
    if (x!.is("reshape")) return x!.inputs[0]!.reshape(node.shape);
    if (!x!.is("sum") && !x!.is("reduceMax")) return undefined;
    const { axes, keepDims } = x!.attributes;
    const operand = x!.inputs[0]!;
    if (!sameShape(node.shape, reducedShape(operand.shape, axes, !keepDims))) return undefined;
    return x!.op === "sum" ? operand.sum(axes, !keepDims) : operand.reduceMax(axes, !keepDims);
  },
  transpose: (node, [x]) => {
    if (!x!.is("transpose")) return undefined;
    const inner = x!.attributes.permutation;
    return x!.inputs[0]!.transpose(node.attributes.permutation.map((axis) => inner[axis]!));
  },
  broadcast: (node, [x]) => (x!.is("broadcast") ? x!.inputs[0]!.broadcastTo(node.shape) : undefined),
};

const BROADCASTING = new Set<Op>(["add", "sub", "mul", "div", "pow", "min", "max", "less", "lessEqual", "equal", "and", "or", "where"]);

/** Operands that need no broadcast node, because the operator broadcasts them anyway. */
function withoutBroadcasts(node: Expr, operands: readonly Expr[]): readonly Expr[] {
  if (!BROADCASTING.has(node.op)) return operands;
  const result = [...operands];
  operands.forEach((x, i) => {
    if (!x.is("broadcast")) return;
    const shapes = result.map((operand, j) => (i === j ? x.inputs[0]!.shape : operand.shape));
    if (sameShape(broadcastShapes(node.op, ...shapes), node.shape)) result[i] = x.inputs[0]!;
  });
  return result;
}

const KEPT = new Set<Op>(["stopGradient", "customGradient", "guard", "external"]);

/** The value of a primitive over literals. */
function folded(node: Expr): Expr | undefined {
  const foldable = node.inputs.length > 0 && !KEPT.has(node.op) && sizeOf(node.shape) === 1;
  if (!foldable || node.inputs.some((x) => literal(x) === undefined)) return undefined;
  const [value] = evaluate([node], {});
  return constant(Float64Array.from(value!.data), node.shape, node.dtype);
}

/** A simpler node with the same value, over operands that are simple already; undefined when there is none. */
export function simplifyNode(node: Expr): Expr | undefined {
  const rule = rules[node.op] as Rule<Op> | undefined;
  return folded(node) ?? rule?.(node, node.inputs)?.broadcastTo(node.shape);
}

/**
 * Smaller expressions with the same values, bit for bit in the evaluator (a NaN stays a NaN): equal subexpressions
 * merged, operations on literal scalars computed, x·1, x/1, x¹, x−0, double negation, transposition and reshape removed,
 * a + (−b) written a − b, and no broadcast in front of an operator that broadcasts. x + 0 goes only where x cannot
 * be −0. x · 0 always stays: 0 · NaN and 0 · ∞ are NaN, and paths without gradient are never multiplied by a zero, they
 * are left out. `guard`, `customGradient`, `stopGradient` and `external` keep their place.
 */
export function simplify(roots: readonly Expr[]): Expr[] {
  const numbering = new Numbering();
  const numbers = new Map<Expr, number>();
  const representatives: Expr[] = [];

  const intern = (node: Expr): Expr => {
    const number = numbering.of(
      node,
      node.inputs.map((x) => numbers.get(x)!),
    );
    representatives[number] ??= node;
    numbers.set(representatives[number], number);
    return representatives[number];
  };
  /** Simplest form of a node over operands that are simple already. */
  const build = (original: Expr): Expr => {
    const node = withInputs(original, withoutBroadcasts(original, original.inputs));
    const replacement = simplifyNode(node);
    return replacement === undefined ? intern(node) : rebuild(replacement);
  };
  const rebuild = (x: Expr): Expr => (numbers.has(x) ? x : build(withInputs(x, x.inputs.map(rebuild))));

  const results = new Map<Expr, Expr>();
  for (const node of topologicalOrder(roots)) {
    const inputs = node.inputs.map((x) => results.get(x)!);
    results.set(node, build(withInputs(node, inputs)));
  }
  return roots.map((root) => results.get(root)!);
}
