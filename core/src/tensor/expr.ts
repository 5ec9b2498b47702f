import { ShapeError } from "../errors.js";
import { addDims, canonicalDim, type Dim, subtractDims } from "./dim.js";
import { broadcastShapes, type DType, formatShape, normalizeAxes, normalizeAxis, type Shape, sameShape, sizeOf } from "./shape.js";

export const UNARY_FLOAT = [
  "neg",
  "abs",
  "sign",
  "exp",
  "log",
  "log1p",
  "expm1",
  "tanh",
  "sigmoid",
  "softplus",
  "sqrt",
  "sin",
  "cos",
  "floor",
  "erf",
] as const;
export const BINARY_FLOAT = ["add", "sub", "mul", "div", "pow", "min", "max"] as const;
export const COMPARISONS = ["less", "lessEqual", "equal"] as const;

export type UnaryOp = (typeof UNARY_FLOAT)[number];
export type BinaryOp = (typeof BINARY_FLOAT)[number];
export type ComparisonOp = (typeof COMPARISONS)[number];

/** Data of a constant: row-major, one number an element (bool: 0 or 1). */
export type ConstantData = Float64Array | Int32Array;

/** Attributes of each primitive. A primitive's inputs are listed beside it. */
export interface OpAttributes extends Record<UnaryOp | BinaryOp | ComparisonOp, Record<string, never>> {
  /** () */ input: { name: string };
  /** () */ constant: { data: ConstantData };
  /** () 0, 1, … along a single axis; int */ iota: { size: Dim };
  /** (bool) */ not: Record<string, never>;
  /** (bool, bool) */ and: Record<string, never>;
  /** (bool, bool) */ or: Record<string, never>;
  /** (float) → bool: neither NaN nor infinite */ isFinite: Record<string, never>;
  /** (condition, whenTrue, whenFalse) */ where: Record<string, never>;
  /** (x) */ cast: { to: DType };
  /** (a [..., m, k], b [..., k, n]), batch axes broadcast */ matmul: { transposeA: boolean; transposeB: boolean };
  /** (x) */ sum: { axes: readonly number[]; keepDims: boolean };
  /** (x) */ reduceMax: { axes: readonly number[]; keepDims: boolean };
  /** (x) → int, first of equals */ argmax: { axis: number; keepDims: boolean };
  /** (x) */ cumsum: { axis: number; exclusive: boolean; reverse: boolean };
  /** (x) */ reshape: { shape: Shape };
  /** (x) */ transpose: { permutation: readonly number[] };
  /** (x) along every axis: start inclusive, end exclusive; end null = to the end; never counted from the end */
  slice: { starts: readonly Dim[]; ends: readonly (Dim | null)[] };
  /** (x) zeros before and after, per axis */ pad: { before: readonly Dim[]; after: readonly Dim[] };
  /** (x, y, …) */ concat: { axis: number };
  /** (x) to a shape that x broadcasts to */ broadcast: { shape: Shape };
  /** (data, indices int): data.shape with `axis` replaced by indices.shape */ gather: { axis: number };
  /** (indices int [..r], updates): zeros of `size` along `axis`, updates added; inverse of gather */
  scatterAdd: { axis: number; size: Dim; indexRank: number };
  /** (data, indices int of the same rank): one element of `axis` for each index */ gatherElements: { axis: number };
  /** (indices, updates of the same shape): zeros of `size` along `axis`, updates added */
  scatterElementsAdd: { axis: number; size: Dim };
  /** (x) the k largest along the last axis, descending; ties: smaller index first */ topKValues: { k: number };
  /** (x) → int */ topKIndices: { k: number };
  /** (x) identity without gradient */ stopGradient: Record<string, never>;
  /** (value, x1, …, xn) value; its gradient is `vjp(g)`, one expression (or null) for each x */
  customGradient: { vjp: (g: Expr, inputs: readonly Expr[]) => readonly (Expr | null)[] };
  /** (x, after) x, computed after `after` and never merged with an equal expression: recomputation in the backward pass */
  guard: Record<string, never>;
  /** (…) a runtime's own operator; no gradient, not evaluable. `output` picks one of several outputs. */
  external: {
    operator: string;
    domain: string;
    attributes: Readonly<Record<string, unknown>>;
    output: number;
    outputs: number;
    call: object;
  };
}

export type Op = keyof OpAttributes;

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
  /** One `[start, end]` per axis (null = the whole axis, null end = to the end); negative numbers count from the end. */
  slice(...ranges: readonly Range[]): Expr {
    return slice(this, ranges);
  }
  pad(before: readonly Dim[], after: readonly Dim[]): Expr {
    return pad(this, before, after);
  }
  broadcastTo(shape: Shape): Expr {
    return broadcastTo(this, shape);
  }
  /** Inserts an axis of size 1. */
  expandDims(axis: number): Expr {
    const at = axis < 0 ? axis + this.rank + 1 : axis;
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
  logSoftmax(axis = -1): Expr {
    return this.sub(this.logSumExp(axis, true));
  }
  softmax(axis = -1): Expr {
    return this.logSoftmax(axis).exp();
  }
}

/** A named tensor that is fed when the expression is evaluated. */
export function input(name: string, shape: Shape, dtype: DType = "float"): Expr<"input"> {
  return new Expr("input", [], { name }, shape.map(canonicalDim), dtype);
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
  return new Expr("constant", [], { data }, [...at], dtype);
}

export function iota(size: Dim): Expr<"iota"> {
  const at = canonicalDim(size);
  return new Expr("iota", [], { size: at }, [at], "int");
}

export const zerosLike = (x: Expr): Expr => broadcastTo(constant(0, [], x.dtype), x.shape);
export const onesLike = (x: Expr): Expr => broadcastTo(constant(1, [], x.dtype), x.shape);

export function lift(value: Operand, dtype: DType = "float"): Expr {
  return typeof value === "number" ? constant(value, [], dtype) : value;
}

function requireDType(what: string, x: Expr, ...accepted: DType[]): void {
  if (!accepted.includes(x.dtype)) throw new ShapeError(`${what}: takes ${accepted.join(" or ")}, not ${x.dtype} ${formatShape(x.shape)}`);
}

function unary(op: UnaryOp, x: Expr): Expr {
  requireDType(op, x, "float", ...(op === "neg" || op === "abs" ? (["int"] as const) : []));
  return new Expr<Op>(op, [x], {}, x.shape, x.dtype);
}

function sameDType(what: string, a: Expr, b: Expr): void {
  if (a.dtype !== b.dtype) {
    throw new ShapeError(
      `${what}: ${a.dtype} ${formatShape(a.shape)} and ${b.dtype} ${formatShape(b.shape)} are of different types; cast one of them`,
    );
  }
}

function binary(op: BinaryOp, left: Expr, right: Operand): Expr {
  const other = lift(right, left.dtype);
  requireDType(op, left, "float", "int");
  sameDType(op, left, other);
  return new Expr<Op>(op, [left, other], {}, broadcastShapes(op, left.shape, other.shape), left.dtype);
}

function comparison(op: ComparisonOp, left: Expr, right: Operand): Expr {
  const other = lift(right, left.dtype);
  sameDType(op, left, other);
  return new Expr<Op>(op, [left, other], {}, broadcastShapes(op, left.shape, other.shape), "bool");
}

function logical(op: "not" | "and" | "or", ...operands: Expr[]): Expr {
  for (const x of operands) requireDType(op, x, "bool");
  return new Expr<Op>(op, operands, {}, broadcastShapes(op, ...operands.map((x) => x.shape)), "bool");
}

/** `whenTrue` where the condition holds, else `whenFalse`; the branch not taken gets gradient 0 and may hold NaN. */
export function where(condition: Expr, whenTrue: Operand, whenFalse: Operand): Expr {
  requireDType("where", condition, "bool");
  const dtype = typeof whenTrue === "number" ? (typeof whenFalse === "number" ? "float" : whenFalse.dtype) : whenTrue.dtype;
  const [a, b] = [lift(whenTrue, dtype), lift(whenFalse, dtype)];
  sameDType("where", a, b);
  return new Expr("where", [condition, a, b], {}, broadcastShapes("where", condition.shape, a.shape, b.shape), dtype);
}

function matmul(a: Expr, b: Expr, attributes: { transposeA: boolean; transposeB: boolean }): Expr {
  requireDType("matmul", a, "float");
  requireDType("matmul", b, "float");
  const fail = () =>
    new ShapeError(
      `matmul: ${formatShape(a.shape)}${attributes.transposeA ? "ᵀ" : ""} and ${formatShape(b.shape)}${attributes.transposeB ? "ᵀ" : ""} do not multiply`,
    );
  if (a.rank < 2 || b.rank < 2) throw fail();
  const [am, ak] = attributes.transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [bk, bn] = attributes.transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (ak !== bk) throw fail();
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return new Expr("matmul", [a, b], attributes, [...batch, am, bn], "float");
}

export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Dim[] {
  return keepDims ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i));
}

function reduce(op: "sum" | "reduceMax", x: Expr, axes: number | readonly number[] | undefined, keepDims: boolean): Expr {
  requireDType(op, x, "float", "int");
  const list = normalizeAxes(axes, x.rank, op);
  if (list.length === 0) return x;
  return new Expr<Op>(op, [x], { axes: list, keepDims }, reducedShape(x.shape, list, keepDims), x.dtype);
}

function reshape(x: Expr, shape: Shape): Expr {
  if (sameShape(x.shape, shape)) return x;
  // Symbols must survive as they are; the numeric parts must hold the same number of elements.
  const split = (s: Shape) => ({
    symbols: s
      .filter((d) => typeof d === "string")
      .sort()
      .join(","),
    size: sizeOf(s.filter((d) => typeof d === "number")),
  });
  const [from, to] = [split(x.shape), split(shape)];
  if (from.symbols !== to.symbols || from.size !== to.size) {
    throw new ShapeError(`reshape: ${formatShape(x.shape)} does not hold as many elements as ${formatShape(shape)}`);
  }
  return new Expr("reshape", [x], { shape: [...shape] }, [...shape], x.dtype);
}

function transpose(x: Expr, permutation?: readonly number[]): Expr {
  const order = permutation ?? x.shape.map((_, i) => x.rank - 1 - i);
  if (order.length !== x.rank || new Set(order).size !== x.rank || order.some((axis) => !(axis in x.shape))) {
    throw new ShapeError(`transpose: [${order.join(", ")}] is no permutation of the axes of ${formatShape(x.shape)}`);
  }
  if (order.every((axis, i) => axis === i)) return x;
  return new Expr(
    "transpose",
    [x],
    { permutation: [...order] },
    order.map((axis) => x.shape[axis]!),
    x.dtype,
  );
}

/** `[start, end)` along an axis, or null for all of it. */
export type Range = readonly [start: Dim, end: Dim | null] | null;

function slice(x: Expr, ranges: readonly Range[]): Expr {
  if (ranges.length > x.rank) throw new ShapeError(`slice: ${ranges.length} ranges for ${formatShape(x.shape)}`);
  const parts = x.shape.map((dim, axis) => {
    const [from, to] = ranges[axis] ?? [0, null];
    const fromFront = (at: Dim) => (typeof at === "number" && at < 0 ? addDims(dim, at) : canonicalDim(at));
    const [start, end] = [fromFront(from), to === null ? dim : fromFront(to)];
    const size = subtractDims(end, start);
    // Where symbols remain, the bounds are checked once these have values.
    if ([start, size, subtractDims(dim, end)].some((n) => typeof n === "number" && n < 0)) {
      throw new ShapeError(`slice: [${from}, ${to ?? "end"}) lies outside axis ${axis} of ${formatShape(x.shape)}`);
    }
    return { start, end: end === dim ? null : end, size };
  });
  const shape = parts.map((part) => part.size);
  if (sameShape(shape, x.shape)) return x;
  return new Expr("slice", [x], { starts: parts.map((part) => part.start), ends: parts.map((part) => part.end) }, shape, x.dtype);
}

function pad(x: Expr, before: readonly Dim[], after: readonly Dim[]): Expr {
  if (before.length !== x.rank || after.length !== x.rank || [...before, ...after].some((n) => typeof n === "number" && n < 0)) {
    throw new ShapeError(`pad: ${formatShape(before)} and ${formatShape(after)} do not fit ${formatShape(x.shape)}`);
  }
  if ([...before, ...after].every((n) => n === 0)) return x;
  const shape = x.shape.map((dim, i) => addDims(before[i]!, dim, after[i]!));
  return new Expr("pad", [x], { before: before.map(canonicalDim), after: after.map(canonicalDim) }, shape, x.dtype);
}

export function concat(parts: readonly Expr[], axis: number): Expr {
  const first = parts[0];
  if (first === undefined) throw new ShapeError("concat: needs at least one operand");
  if (parts.length === 1) return first;
  const at = normalizeAxis(axis, first.rank, "concat");
  for (const part of parts) {
    sameDType("concat", first, part);
    if (part.rank !== first.rank || part.shape.some((dim, i) => i !== at && dim !== first.shape[i])) {
      throw new ShapeError(`concat: ${parts.map((p) => formatShape(p.shape)).join(" and ")} differ beside axis ${axis}`);
    }
  }
  const size = addDims(...parts.map((part) => part.shape[at]!));
  return new Expr(
    "concat",
    parts,
    { axis: at },
    first.shape.map((dim, i) => (i === at ? size : dim)),
    first.dtype,
  );
}

function broadcastTo(x: Expr, shape: Shape): Expr {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes("broadcast", x.shape, shape), shape)) {
    throw new ShapeError(`broadcast: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`);
  }
  return new Expr("broadcast", [x], { shape: [...shape] }, [...shape], x.dtype);
}

function gather(data: Expr, indices: Expr, axis: number): Expr {
  requireDType("gather indices", indices, "int");
  const at = normalizeAxis(axis, data.rank, "gather");
  return new Expr(
    "gather",
    [data, indices],
    { axis: at },
    [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)],
    data.dtype,
  );
}

/** Zeros with `size` along `axis`; each slice of `updates` is added at its index. Inverse of `gather`. */
export function scatterAdd(indices: Expr, updates: Expr, axis: number, size: Dim): Expr {
  requireDType("scatterAdd indices", indices, "int");
  requireDType("scatterAdd updates", updates, "float");
  if (!sameShape(updates.shape.slice(axis, axis + indices.rank), indices.shape)) {
    throw new ShapeError(
      `scatterAdd: indices ${formatShape(indices.shape)} do not stand at axis ${axis} of updates ${formatShape(updates.shape)}`,
    );
  }
  const shape = [...updates.shape.slice(0, axis), size, ...updates.shape.slice(axis + indices.rank)];
  return new Expr("scatterAdd", [indices, updates], { axis, size, indexRank: indices.rank }, shape, updates.dtype);
}

function gatherElements(data: Expr, indices: Expr, axis: number): Expr {
  requireDType("gatherElements indices", indices, "int");
  const at = normalizeAxis(axis, data.rank, "gatherElements");
  if (data.rank !== indices.rank || data.shape.some((dim, i) => i !== at && dim !== indices.shape[i])) {
    throw new ShapeError(
      `gatherElements: data ${formatShape(data.shape)} and indices ${formatShape(indices.shape)} differ beside axis ${axis}`,
    );
  }
  return new Expr("gatherElements", [data, indices], { axis: at }, indices.shape, data.dtype);
}

export function scatterElementsAdd(indices: Expr, updates: Expr, axis: number, size: Dim): Expr {
  requireDType("scatterElementsAdd indices", indices, "int");
  if (!sameShape(indices.shape, updates.shape)) {
    throw new ShapeError(`scatterElementsAdd: indices ${formatShape(indices.shape)} and updates ${formatShape(updates.shape)} differ`);
  }
  return new Expr(
    "scatterElementsAdd",
    [indices, updates],
    { axis, size },
    updates.shape.map((dim, i) => (i === axis ? size : dim)),
    updates.dtype,
  );
}

function topK(x: Expr, k: number): { values: Expr; indices: Expr } {
  requireDType("topK", x, "float");
  const last = x.shape.at(-1);
  if (last === undefined || (typeof last === "number" && k > last)) throw new ShapeError(`topK: ${k} of ${formatShape(x.shape)}`);
  const shape = [...x.shape.slice(0, -1), k];
  return { values: new Expr("topKValues", [x], { k }, shape, "float"), indices: new Expr("topKIndices", [x], { k }, shape, "int") };
}

/** 1 at the index, 0 elsewhere: [..., size], float. An index outside 0..size-1 gives zeros. */
export function oneHot(indices: Expr, size: Dim): Expr {
  requireDType("oneHot", indices, "int");
  return indices.expandDims(-1).equal(iota(size)).cast("float");
}

/** `value`, whose gradient with respect to `inputs` is `vjp(g)` instead of the derivative of `value`. */
export function customGradient(value: Expr, inputs: readonly Expr[], vjp: OpAttributes["customGradient"]["vjp"]): Expr {
  return new Expr("customGradient", [value, ...inputs], { vjp }, value.shape, value.dtype);
}

/** `x` computed only after `after`, never merged with an equal expression. */
export function guard(x: Expr, after: Expr): Expr {
  return new Expr("guard", [x, after], {}, x.shape, x.dtype);
}

/** An operator of the runtime: `outputs` gives each output's shape and type. */
export function external(
  operator: string,
  inputs: readonly Expr[],
  outputs: readonly { shape: Shape; dtype: DType }[],
  { domain = "", attributes = {} }: { domain?: string; attributes?: Readonly<Record<string, unknown>> } = {},
): Expr[] {
  const call = {};
  return outputs.map(
    ({ shape, dtype }, output) =>
      new Expr("external", inputs, { operator, domain, attributes, output, outputs: outputs.length, call }, shape, dtype),
  );
}

export const min = (a: Expr, b: Operand): Expr => a.min(b);
export const max = (a: Expr, b: Operand): Expr => a.max(b);
export const exp = (x: Expr): Expr => x.exp();
export const log = (x: Expr): Expr => x.log();
export const sigmoid = (x: Expr): Expr => x.sigmoid();
export const softplus = (x: Expr): Expr => x.softplus();
export const stopGradient = (x: Expr): Expr => x.stopGradient();

/** Every node that `roots` depend on, operands before their users. */
export function topologicalOrder(roots: readonly Expr[]): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const stack: { node: Expr; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ node: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const child = top.node.inputs[top.next++];
      if (child === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!seen.has(child)) {
        seen.add(child);
        stack.push({ node: child, next: 0 });
      }
    }
  }
  return order;
}
