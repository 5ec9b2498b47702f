import { constant, type Expr, where } from "@proximal/core";
import { filled, numberOf, type Rule } from "./rule.js";

/** The value of elementwise primitives on numbers; those missing are left to the graph. */
const arithmetic: Record<string, (a: number, b: number) => number> = {
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  expm1: Math.expm1,
  tanh: Math.tanh,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  pow: (a, b) => a ** b,
  min: Math.min,
  max: Math.max,
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
  not: (a) => 1 - a,
  and: (a, b) => a * b,
  or: (a, b) => Math.max(a, b),
  isFinite: (a) => Number(Number.isFinite(a)),
};

const foldConstants: Rule = (node) => {
  const f = node.is("div") && node.dtype === "float" ? (a: number, b: number) => a / b : arithmetic[node.op];
  if (f === undefined || node.rank > 0) return node;
  const values = node.inputs.map((x) => (x.is("constant") ? x.attributes.data[0]! : undefined));
  return values.some((x) => x === undefined) ? node : constant(f(values[0]!, values[1]!), [], node.dtype);
};

const castConstant: Rule = (node) => {
  if (!node.is("cast")) return node;
  const x = node.inputs[0]!;
  if (x.dtype === node.dtype) return x;
  const value = x.rank === 0 ? numberOf(x) : undefined;
  if (value === undefined) return node;
  const converted = node.dtype === "bool" ? Number(value !== 0) : node.dtype === "int" ? Math.trunc(value) : value;
  return constant(converted, [], node.dtype);
};

const inside = (x: Expr): Expr => x.inputs[0]!;
const fit = (x: Expr, node: Expr): Expr => x.broadcastTo(node.shape);

const add: Rule = (node) => {
  if (!node.is("add")) return node;
  const [a, b] = node.inputs as [Expr, Expr];
  if (numberOf(b) === 0) return fit(a, node);
  if (numberOf(a) === 0) return fit(b, node);
  if (b.is("neg")) return a.sub(inside(b));
  if (a.is("neg")) return b.sub(inside(a));
  return node;
};

const sub: Rule = (node) => {
  if (!node.is("sub")) return node;
  const [a, b] = node.inputs as [Expr, Expr];
  if (numberOf(b) === 0) return fit(a, node);
  if (numberOf(a) === 0) return fit(b.neg(), node);
  return b.is("neg") ? a.add(inside(b)) : node;
};

const neg: Rule = (node) => {
  if (!node.is("neg")) return node;
  const x = inside(node);
  if (x.is("neg")) return inside(x);
  if (x.is("sub")) return x.inputs[1]!.sub(x.inputs[0]!);
  if (x.is("mul")) {
    const factor = numberOf(x.inputs[1]!);
    if (factor !== undefined) return x.inputs[0]!.mul(-factor);
  }
  return node;
};

const mul: Rule = (node) => {
  if (!node.is("mul")) return node;
  const [a, b] = node.inputs as [Expr, Expr];
  const factor = numberOf(b);
  if (factor === undefined) {
    if (numberOf(a) !== undefined) return b.mul(a);
    return a.is("neg") && b.is("neg") ? inside(a).mul(inside(b)) : node;
  }
  if (factor === 1) return fit(a, node);
  if (factor === -1) return fit(a.neg(), node);
  if (b.rank > 0) return node;
  if (a.is("neg")) return inside(a).mul(-factor);
  if (a.is("mul")) {
    const product = (numberOf(a.inputs[1]!) ?? Number.NaN) * factor;
    if (Number.isFinite(product) && product !== 0) return a.inputs[0]!.mul(product);
  }
  return node;
};

const div: Rule = (node) => {
  if (!node.is("div") || node.dtype !== "float") return node;
  const [a, b] = node.inputs as [Expr, Expr];
  const divisor = numberOf(b);
  if (divisor === undefined) return node;
  if (divisor === 1) return fit(a, node);
  // The reciprocal of a power of two is exact.
  const exact = Number.isInteger(Math.log2(Math.abs(divisor)));
  return exact ? a.mul(1 / divisor) : node;
};

const pow: Rule = (node) => {
  if (!node.is("pow") || node.dtype !== "float") return node;
  const [x, power] = node.inputs as [Expr, Expr];
  if (power.rank > 0) return node;
  switch (numberOf(power)) {
    case 0:
      return filled(1, x);
    case 1:
      return x;
    case 2:
      return x.mul(x);
    case 3:
      return x.mul(x).mul(x);
    case 0.5:
      return x.sqrt();
    case -1:
      return x.reciprocal();
    case -2:
      return x.mul(x).reciprocal();
    case -0.5:
      return x.sqrt().reciprocal();
    default:
      return node;
  }
};

const extremum: Rule = (node) => {
  if (!(node.is("min") || node.is("max")) || node.dtype !== "float") return node;
  const neutral = node.is("min") ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const [a, b] = node.inputs as [Expr, Expr];
  if (numberOf(b) === neutral) return fit(a, node);
  return numberOf(a) === neutral ? fit(b, node) : node;
};

const logic: Rule = (node) => {
  if (node.is("not")) return inside(node).is("not") ? inside(inside(node)) : node;
  if (!node.is("and") && !node.is("or")) return node;
  const [a, b] = node.inputs as [Expr, Expr];
  const neutral = node.is("and") ? 1 : 0;
  for (const [x, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const value = numberOf(x);
    if (value !== undefined) return value === neutral ? fit(other, node) : filled(1 - neutral, node);
  }
  return node;
};

const whereConstant: Rule = (node) => {
  if (!node.is("where")) return node;
  const [condition, a, b] = node.inputs as [Expr, Expr, Expr];
  if (condition.is("not")) return where(inside(condition), b, a);
  const value = numberOf(condition);
  return value === undefined ? node : fit(value ? a : b, node);
};

/** A sign or a constant factor leaves a sum. */
const sumFactor: Rule = (node) => {
  if (!node.is("sum")) return node;
  const { axes, keepDims } = node.attributes;
  const x = inside(node);
  if (x.is("neg")) return inside(x).sum(axes, keepDims).neg();
  if (!x.is("mul") || x.dtype !== "float") return node;
  const [a, b] = x.inputs as [Expr, Expr];
  return b.rank === 0 && numberOf(b) !== undefined ? a.sum(axes, keepDims).mul(b) : node;
};

/** What matters to the gradient only. */
const transparent: Rule = (node) => (node.is("stopGradient") || node.is("customGradient") ? inside(node) : node);

export const algebraRules: readonly Rule[] = [
  transparent,
  foldConstants,
  castConstant,
  add,
  sub,
  neg,
  mul,
  div,
  pow,
  extremum,
  logic,
  whereConstant,
  sumFactor,
];
