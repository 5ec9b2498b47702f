import { ShapeError } from "../errors.js";
import { type DType, formatShape } from "./shape.js";

/** Row-major elements: float, int or bool (0 or 1). */
export type TensorData = Float64Array | Int32Array | Uint8Array;

/** A concrete tensor of the reference evaluator. The array's type is the element type. */
export interface TensorValue {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export function allocate(dtype: DType, size: number): TensorData {
  if (dtype === "float") return new Float64Array(size);
  return dtype === "int" ? new Int32Array(size) : new Uint8Array(size);
}

export function dtypeOf({ data }: TensorValue): DType {
  if (data instanceof Float64Array) return "float";
  return data instanceof Int32Array ? "int" : "bool";
}

export const elementCount = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

type Nested = number | boolean | readonly Nested[] | Float64Array | Float32Array | Int32Array | Uint8Array;

/** A tensor from a number, a flat list or nested lists; without `shape` the nesting is the shape. */
export function tensor(values: Nested, shape?: readonly number[], dtype: DType = "float"): TensorValue {
  const nesting: number[] = [];
  for (let level = values; typeof level === "object"; level = level[0] ?? 0) nesting.push(level.length);
  const flat = typeof values !== "object" ? [values] : ArrayBuffer.isView(values) ? values : flatten(values as readonly Nested[]);
  const at = shape ?? nesting;
  if (elementCount(at) !== flat.length) {
    throw new ShapeError(`tensor: ${flat.length} elements do not fill a shape of ${formatShape(at)}`);
  }
  const data = allocate(dtype, flat.length);
  for (let i = 0; i < flat.length; i++) data[i] = Number(flat[i]);
  return { shape: [...at], data };
}

const flatten = (values: readonly Nested[]): number[] =>
  values.flatMap((value) => (typeof value === "object" ? flatten([...value]) : [Number(value)]));
