import { constant, type DType, type Expr, lift, sameShape, where } from "@proximal/core";
import { numberOf, type RuleTable } from "./rule.js";

const swapped = (difference: Expr): Expr => difference.inputs[1]!.sub(difference.inputs[0]!);
const number = (value: number, dtype: DType): Expr => constant(value, [], dtype);

/** x·c for a constant c, if x is such a product itself or the negative of something. */
function scaled(x: Expr, factor: number): Expr | undefined {
  if (x.is("neg")) return x.inputs[0]!.mul(-factor);
  const inner = x.is("mul") && x.dtype === "float" ? numberOf(x.inputs[1]!) : undefined;
  const product = (inner ?? Number.NaN) * factor;
  // An underflow or overflow of the two factors together would change the result.
  return Number.isFinite(product) && product !== 0 ? x.inputs[0]!.mul(product) : undefined;
}

/** and, or: what is left when one operand is known. `neutral` changes nothing, the other value decides. */
function known(a: Expr, b: Expr, neutral: number): Expr | undefined {
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left !== undefined) return left === neutral ? b : number(1 - neutral, "bool");
  if (right !== undefined) return right === neutral ? a : number(1 - neutral, "bool");
  return undefined;
}

/**
 * Rules that keep the value up to rounding and the sign of zero; those that keep every bit are the tensor language's own
 * (`simplifyNode`). Nothing is reassociated where that cancels digits: (1 + x) − 1 stays.
 */
export const algebra: RuleTable = {
  // What matters to the gradient only.
  stopGradient: (_, [x]) => x,
  customGradient: (_, [x]) => x,

  add: (_, [a, b]) => (numberOf(b!) === 0 ? a : numberOf(a!) === 0 ? b : undefined),
  sub: (_, [a, b]) => (numberOf(b!) === 0 ? a : numberOf(a!) === 0 ? b!.neg() : undefined),
  neg: (_, [x]) => {
    if (x!.is("sub")) return swapped(x!);
    const factor = x!.is("mul") ? numberOf(x!.inputs[1]!) : undefined;
    return factor === undefined ? undefined : x!.inputs[0]!.mul(-factor);
  },
  mul: (node, [a, b]) => {
    const factor = numberOf(b!);
    if (factor === undefined) {
      if (numberOf(a!) !== undefined) return b!.mul(a!);
      return a!.is("neg") && b!.is("neg") ? a!.inputs[0]!.mul(b!.inputs[0]!) : undefined;
    }
    if (factor === 1) return a;
    if (factor === -1) return a!.neg();
    return sameShape(a!.shape, node.shape) ? scaled(a!, factor) : undefined;
  },
  div: (node, [a, b]) => {
    const divisor = numberOf(b!);
    // The reciprocal of a power of two is exact.
    const exact = divisor !== undefined && node.dtype === "float" && Number.isInteger(Math.log2(Math.abs(divisor)));
    return exact ? a!.mul(1 / divisor) : undefined;
  },
  pow: (node, [x, power]) => {
    if (node.dtype !== "float" || power!.rank > 0) return undefined;
    switch (numberOf(power!)) {
      case 0:
        return lift(1);
      case 2:
        return x!.mul(x!);
      case 3:
        return x!.mul(x!).mul(x!);
      case 0.5:
        return x!.sqrt();
      case -0.5:
        return x!.sqrt().reciprocal();
      case -1:
        return x!.reciprocal();
      case -2:
        return x!.mul(x!).reciprocal();
      default:
        return undefined;
    }
  },
  min: (_, [a, b]) => (numberOf(b!) === Number.POSITIVE_INFINITY ? a : numberOf(a!) === Number.POSITIVE_INFINITY ? b : undefined),
  max: (_, [a, b]) => (numberOf(b!) === Number.NEGATIVE_INFINITY ? a : numberOf(a!) === Number.NEGATIVE_INFINITY ? b : undefined),
  and: (_, [a, b]) => known(a!, b!, 1),
  or: (_, [a, b]) => known(a!, b!, 0),
  where: (_, [condition, a, b]) => {
    if (condition!.is("not")) return where(condition!.inputs[0]!, b!, a!);
    const value = numberOf(condition!);
    return value === undefined ? undefined : value ? a : b;
  },
  // A sign or a constant factor leaves a sum.
  sum: (node, [x]) => {
    const { axes, keepDims } = node.attributes;
    if (x!.is("neg")) return x!.inputs[0]!.sum(axes, keepDims).neg();
    if (!x!.is("mul") || x!.dtype !== "float") return undefined;
    const [a, b] = x!.inputs as [Expr, Expr];
    return b.rank === 0 && numberOf(b) !== undefined ? a.sum(axes, keepDims).mul(b) : undefined;
  },
};
