import { Tensor } from "onnxruntime-node";

type Fill = (index: number) => number;
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const floats = (shape: readonly number[], fill: Fill): Tensor =>
  new Tensor(
    "float32",
    Float32Array.from({ length: size(shape) }, (_, i) => fill(i)),
    shape,
  );

export const ints = (shape: readonly number[], fill: Fill): Tensor =>
  new Tensor(
    "int64",
    BigInt64Array.from({ length: size(shape) }, (_, i) => BigInt(fill(i))),
    shape,
  );

export const bools = (shape: readonly number[], fill: Fill): Tensor =>
  new Tensor(
    "bool",
    Uint8Array.from({ length: size(shape) }, (_, i) => fill(i)),
    shape,
  );
