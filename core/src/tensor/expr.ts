import { ShapeError } from "../errors.js";
import { canonicalDim } from "./dim.js";
import {
  checkBroadcast,
  checkGatherElements,
  checkReshape,
  gatheredShape,
  matmulShape,
  paddedShape,
  type Range,
  reducedShape,
  requireDType,
  sameDType,
  sliceShape,
  topKShape,
  transposedShape,
} from "./inference.js";
import type { AttributesOf, BinaryOp, ComparisonOp, ConstantData, Op, UnaryOp } from "./ops.js";
import { broadcastShapes, type DType, formatShape, normalizeAxes, normalizeAxis, type Shape, sameShape, sizeOf } from "./shape.js";

export type OpAttributes = AttributesOf<Expr>;

export type Operand = Expr | number;

let nextId = 0;

/**
 * A node of the tensor language: immutable, typed, with its shape known when it is built.
 * Arithmetic follows numpy's broadcasting. An operand that does not fit is a `ShapeError` that names both shapes.
 */
export class Expr<O extends Op = Op> {
  readonly id = nextId++;

  constructor(
    readonly op: O,
    readonly inputs: readonly Expr[],
    readonly attributes: OpAttributes[O],
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  is<P extends Op>(op: P): this is Expr<P> {
    return (this.op as Op) === op;
  }

  // Arithmetic, elementwise with broadcasting
  add(other: Operand): Expr {
    return binary("add", this, other);
  }
  sub(other: Operand): Expr {
    return binary("sub", this, other);
  }
  mul(other: Operand): Expr {
    return binary("mul", this, other);
  }
  div(other: Operand): Expr {
    return binary("div", this, other);
  }
  pow(other: Operand): Expr {
    return binary("pow", this, other);
  }
  min(other: Operand): Expr {
    return binary("min", this, other);
  }
  max(other: Operand): Expr {
    return binary("max", this, other);
  }
  /** Into [low, high]; null leaves that side open. Gradient 1 inside and on the borders, 0 outside. */
  clip(low: Operand | null, high: Operand | null): Expr {
    let result: Expr = this;
    if (low !== null) result = binary("max", result, low);
    if (high !== null) result = binary("min", result, high);
    return result;
  }
  neg(): Expr {
    return unary("neg", this);
  }
  abs(): Expr {
    return unary("abs", this);
  }
  sign(): Expr {
    return unary("sign", this);
  }
  exp(): Expr {
    return unary("exp", this);
  }
  log(): Expr {
    return unary("log", this);
  }
  log1p(): Expr {
    return unary("log1p", this);
  }
  expm1(): Expr {
    return unary("expm1", this);
  }
  tanh(): Expr {
    return unary("tanh", this);
  }
  sigmoid(): Expr {
    return unary("sigmoid", this);
  }
  softplus(): Expr {
    return unary("softplus", this);
  }
  sqrt(): Expr {
    return unary("sqrt", this);
  }
  sin(): Expr {
    return unary("sin", this);
  }
  cos(): Expr {
    return unary("cos", this);
  }
  floor(): Expr {
    return unary("floor", this);
  }
  erf(): Expr {
    return unary("erf", this);
  }
  square(): Expr {
    return this.mul(this);
  }
  reciprocal(): Expr {
    return lift(1, this.dtype).div(this);
  }

  // Comparisons → bool
  less(other: Operand): Expr {
    return comparison("less", this, other);
  }
  lessEqual(other: Operand): Expr {
    return comparison("lessEqual", this, other);
  }
  greater(other: Operand): Expr {
    return comparison("less", lift(other, this.dtype), this);
  }
  greaterEqual(other: Operand): Expr {
    return comparison("lessEqual", lift(other, this.dtype), this);
  }
  equal(other: Operand): Expr {
    return comparison("equal", this, other);
  }
  notEqual(other: Operand): Expr {
    return this.equal(other).not();
  }
  not(): Expr {
    return logical("not", this);
  }
  and(other: Expr): Expr {
    return logical("and", this, other);
  }
  or(other: Expr): Expr {
    return logical("or", this, other);
  }
  isFinite(): Expr {
    requireDType("isFinite", this, "float");
    return new Expr("isFinite", [this], {}, this.shape, "bool");
  }

  cast(to: DType): Expr {
    return to === this.dtype ? this : new Expr("cast", [this], { to }, this.shape, to);
  }

  matmul(other: Expr, { transposeA = false, transposeB = false } = {}): Expr {
    return matmul(this, other, { transposeA, transposeB });
  }

  // Reductions; axes default to all
  sum(axes?: number | readonly number[], keepDims = false): Expr {
    return reduce("sum", this, axes, keepDims);
  }
  reduceMax(axes?: number | readonly number[], keepDims = false): Expr {
    return reduce("reduceMax", this, axes, keepDims);
  }
  reduceMin(axes?: number | readonly number[], keepDims = false): Expr {
    return this.neg().reduceMax(axes, keepDims).neg();
  }
  mean(axes?: number | readonly number[], keepDims = false): Expr {
    requireDType("mean", this, "float");
    const list = normalizeAxes(axes, this.rank, "mean");
    const count = sizeOf(list.map((axis) => this.shape[axis]!));
    const total = this.sum(list, keepDims);
    return count === undefined ? total.div(onesLike(this).sum(list, keepDims)) : total.div(count);
  }
  argmax(axis = -1, keepDims = false): Expr {
    requireDType("argmax", this, "float");
    const at = normalizeAxis(axis, this.rank, "argmax");
    return new Expr("argmax", [this], { axis: at, keepDims }, reducedShape(this.shape, [at], keepDims), "int");
  }
  cumsum(axis: number, { exclusive = false, reverse = false } = {}): Expr {
    requireDType("cumsum", this, "float");
    return new Expr("cumsum", [this], { axis: normalizeAxis(axis, this.rank, "cumsum"), exclusive, reverse }, this.shape, this.dtype);
  }

  // Shape
  reshape(shape: Shape): Expr {
    return reshape(this, shape);
  }
  transpose(permutation?: readonly number[]): Expr {
    return transpose(this, permutation);
  }
  /** One `[start, end]` per axis: null = the whole axis, null end = to the end; negative numbers count from the end. */
  slice(...ranges: readonly Range[]): Expr {
    return slice(this, ranges);
  }
  /** Zeros before and after each axis. */
  pad(before: Shape, after: Shape): Expr {
    return pad(this, before, after);
  }
  broadcastTo(shape: Shape): Expr {
    return broadcastTo(this, shape);
  }
  /** Inserts an axis of size 1. */
  expandDims(axis: number): Expr {
    const at = normalizeAxis(axis, this.rank + 1, "expandDims");
    return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)]);
  }
  /** Removes an axis of size 1. */
  squeeze(axis: number): Expr {
    const at = normalizeAxis(axis, this.rank, "squeeze");
    if (this.shape[at] !== 1) throw new ShapeError(`squeeze: axis ${axis} of ${formatShape(this.shape)} is not 1`);
    return this.reshape(this.shape.filter((_, i) => i !== at));
  }

  gather(indices: Expr, axis = 0): Expr {
    return gather(this, indices, axis);
  }
  gatherElements(indices: Expr, axis = -1): Expr {
    return gatherElements(this, indices, axis);
  }
  topK(k: number): { values: Expr; indices: Expr } {
    return topK(this, k);
  }

  stopGradient(): Expr {
    return this.op === "stopGradient" ? this : new Expr("stopGradient", [this], {}, this.shape, this.dtype);
  }

  // Softmax family along one axis, stable
  logSumExp(axis = -1, keepDims = false): Expr {
    const peak = this.reduceMax(axis, true).stopGradient();
    const total = this.sub(peak).exp().sum(axis, true).log().add(peak);
    return keepDims ? total : total.squeeze(axis);
  }
  /** x − max − log Σ exp(x − max): no digits of large logits are lost in a sum with the logarithm. */
  logSoftmax(axis = -1): Expr {
    const shifted = this.sub(this.reduceMax(axis, true).stopGradient());
    return shifted.sub(shifted.exp().sum(axis, true).log());
  }
  softmax(axis = -1): Expr {
    return this.logSoftmax(axis).exp();
  }
}

export function constant(value: number | readonly number[] | ConstantData, shape?: Shape, dtype: DType = "float"): Expr<"constant"> {
  const data =
    typeof value === "number"
      ? Float64Array.of(value)
      : ArrayBuffer.isView(value)
        ? (value as ConstantData)
        : Float64Array.from(value as readonly number[]);
  const at = shape ?? (typeof value === "number" ? [] : [data.length]);
  if (sizeOf(at) !== data.length) throw new ShapeError(`constant: ${data.length} numbers do not fill a shape of ${formatShape(at)}`);
  const misfit = dtype === "float" ? undefined : data.find((x) => (dtype === "int" ? x !== (x | 0) : x !== 0 && x !== 1));
  if (misfit !== undefined)
    throw new ShapeError(`constant: ${misfit} is no ${dtype}`, { accepted: dtype === "int" ? "32-bit integers" : "0 or 1" });
  return new Expr("constant", [], { data }, [...at], dtype);
}

export const zerosLike = (x: Expr): Expr => broadcastTo(constant(0, [], x.dtype), x.shape);
export const onesLike = (x: Expr): Expr => broadcastTo(constant(1, [], x.dtype), x.shape);

export function lift(value: Operand, dtype: DType = "float"): Expr {
  return typeof value === "number" ? constant(value, [], dtype) : value;
}

function unary(op: UnaryOp, x: Expr): Expr {
  requireDType(op, x, "float", ...(op === "neg" || op === "abs" ? (["int"] as const) : []));
  return new Expr<Op>(op, [x], {}, x.shape, x.dtype);
}

function binary(op: BinaryOp, left: Expr, right: Operand): Expr {
  const other = lift(right, left.dtype);
  requireDType(op, left, "float", "int");
  sameDType(op, left, other);
  return new Expr<Op>(op, [left, other], {}, broadcastShapes(op, left.shape, other.shape), left.dtype);
}

function comparison(op: ComparisonOp, left: Expr, right: Operand): Expr {
  const other = lift(right, left.dtype);
  if (op !== "equal") requireDType(op, left, "float", "int");
  sameDType(op, left, other);
  return new Expr<Op>(op, [left, other], {}, broadcastShapes(op, left.shape, other.shape), "bool");
}

function logical(op: "not" | "and" | "or", ...operands: Expr[]): Expr {
  for (const x of operands) requireDType(op, x, "bool");
  return new Expr<Op>(op, operands, {}, broadcastShapes(op, ...operands.map((x) => x.shape)), "bool");
}

function matmul(a: Expr, b: Expr, attributes: { transposeA: boolean; transposeB: boolean }): Expr {
  requireDType("matmul", a, "float");
  requireDType("matmul", b, "float");
  return new Expr("matmul", [a, b], attributes, matmulShape(a.shape, b.shape, attributes), "float");
}

function reduce(op: "sum" | "reduceMax", x: Expr, axes: number | readonly number[] | undefined, keepDims: boolean): Expr {
  requireDType(op, x, "float", "int");
  const list = normalizeAxes(axes, x.rank, op);
  if (list.length === 0) return x;
  return new Expr<Op>(op, [x], { axes: list, keepDims }, reducedShape(x.shape, list, keepDims), x.dtype);
}

function reshape(x: Expr, to: Shape): Expr {
  const shape = to.map(canonicalDim);
  if (sameShape(x.shape, shape)) return x;
  checkReshape(x.shape, shape);
  return new Expr("reshape", [x], { shape }, shape, x.dtype);
}

function transpose(x: Expr, permutation = x.shape.map((_, i) => x.rank - 1 - i) as readonly number[]): Expr {
  const shape = transposedShape(x.shape, permutation);
  if (permutation.every((axis, i) => axis === i)) return x;
  return new Expr("transpose", [x], { permutation: [...permutation] }, shape, x.dtype);
}

function slice(x: Expr, ranges: readonly Range[]): Expr {
  const { starts, ends, shape } = sliceShape(x.shape, ranges);
  return sameShape(shape, x.shape) ? x : new Expr("slice", [x], { starts, ends }, shape, x.dtype);
}

function pad(x: Expr, before: Shape, after: Shape): Expr {
  const shape = paddedShape(x.shape, before, after);
  if ([...before, ...after].every((n) => n === 0)) return x;
  return new Expr("pad", [x], { before: before.map(canonicalDim), after: after.map(canonicalDim) }, shape, x.dtype);
}

function broadcastTo(x: Expr, to: Shape): Expr {
  const shape = to.map(canonicalDim);
  if (sameShape(x.shape, shape)) return x;
  checkBroadcast(x.shape, shape);
  return new Expr("broadcast", [x], { shape }, shape, x.dtype);
}

function gather(data: Expr, indices: Expr, axis: number): Expr {
  requireDType("gather indices", indices, "int");
  const at = normalizeAxis(axis, data.rank, "gather");
  return new Expr("gather", [data, indices], { axis: at }, gatheredShape(data.shape, indices.shape, at), data.dtype);
}

function gatherElements(data: Expr, indices: Expr, axis: number): Expr {
  requireDType("gatherElements indices", indices, "int");
  const at = normalizeAxis(axis, data.rank, "gatherElements");
  checkGatherElements(data.shape, indices.shape, at);
  return new Expr("gatherElements", [data, indices], { axis: at }, indices.shape, data.dtype);
}

function topK(x: Expr, k: number): { values: Expr; indices: Expr } {
  requireDType("topK", x, "float");
  const shape = topKShape(x.shape, k);
  return { values: new Expr("topKValues", [x], { k }, shape, "float"), indices: new Expr("topKIndices", [x], { k }, shape, "int") };
}
