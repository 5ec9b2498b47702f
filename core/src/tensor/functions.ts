import { ShapeError } from "../errors.js";
import { canonicalDim, type Dim } from "./dim.js";
import { Expr, lift, type OpAttributes, type Operand } from "./expr.js";
import { concatShape, requireDType, sameDType, scatteredElementsShape, scatteredShape } from "./inference.js";
import { broadcastShapes, type DType, normalizeAxis, type Shape } from "./shape.js";

/** A named tensor that is fed when the expression is evaluated. */
export function input(name: string, shape: Shape, dtype: DType = "float"): Expr<"input"> {
  return new Expr("input", [], { name }, shape.map(canonicalDim), dtype);
}

export function iota(size: Dim): Expr<"iota"> {
  const at = canonicalDim(size);
  return new Expr("iota", [], { size: at }, [at], "int");
}

/**
 * `whenTrue` where the condition holds, else `whenFalse`, which may hold NaN. The branch not taken gets gradient 0; that
 * stays 0 only as long as no infinite derivative follows (0 · ∞ is NaN), so clean an operand before log or division:
 * where(m, where(m, x, 1).log(), 0).
 */
export function where(condition: Expr, whenTrue: Operand, whenFalse: Operand): Expr {
  requireDType("where", condition, "bool");
  const dtype = typeof whenTrue === "number" ? (typeof whenFalse === "number" ? "float" : whenFalse.dtype) : whenTrue.dtype;
  const [a, b] = [lift(whenTrue, dtype), lift(whenFalse, dtype)];
  sameDType("where", a, b);
  return new Expr("where", [condition, a, b], {}, broadcastShapes("where", condition.shape, a.shape, b.shape), dtype);
}

export function concat(parts: readonly Expr[], axis: number): Expr {
  const first = parts[0];
  if (first === undefined) throw new ShapeError("concat: needs at least one operand");
  const at = normalizeAxis(axis, first.rank, "concat");
  for (const part of parts) sameDType("concat", first, part);
  const shapes = parts.map((part) => part.shape);
  return parts.length === 1 ? first : new Expr("concat", parts, { axis: at }, concatShape(shapes, at), first.dtype);
}

/** Zeros with `size` along `axis`; each slice of `updates` is added at its index. Inverse of `gather`. */
export function scatterAdd(indices: Expr, updates: Expr, axis: number, size: Dim): Expr {
  requireDType("scatterAdd indices", indices, "int");
  requireDType("scatterAdd updates", updates, "float");
  const at = normalizeAxis(axis, updates.rank - indices.rank + 1, "scatterAdd");
  const along = canonicalDim(size);
  const shape = scatteredShape(indices.shape, updates.shape, at, along);
  return new Expr("scatterAdd", [indices, updates], { axis: at, size: along, indexRank: indices.rank }, shape, "float");
}

/** Zeros with `size` along `axis`; each element of `updates` is added at its index. Inverse of `gatherElements`. */
export function scatterElementsAdd(indices: Expr, updates: Expr, axis: number, size: Dim): Expr {
  requireDType("scatterElementsAdd indices", indices, "int");
  requireDType("scatterElementsAdd updates", updates, "float");
  const at = normalizeAxis(axis, updates.rank, "scatterElementsAdd");
  const along = canonicalDim(size);
  const shape = scatteredElementsShape(indices.shape, updates.shape, at, along);
  return new Expr("scatterElementsAdd", [indices, updates], { axis: at, size: along }, shape, "float");
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
