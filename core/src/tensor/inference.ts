import { ShapeError } from "../errors.js";
import { addDims, canonicalDim, type Dim, subtractDims } from "./dim.js";
import { broadcastShapes, type DType, formatShape, type Shape, sameShape, sizeOf } from "./shape.js";

interface Typed {
  readonly dtype: DType;
  readonly shape: Shape;
}

export function requireDType(what: string, x: Typed, ...accepted: DType[]): void {
  if (!accepted.includes(x.dtype)) throw new ShapeError(`${what}: takes ${accepted.join(" or ")}, not ${x.dtype} ${formatShape(x.shape)}`);
}

export function sameDType(what: string, a: Typed, b: Typed): void {
  if (a.dtype !== b.dtype) {
    throw new ShapeError(
      `${what}: ${a.dtype} ${formatShape(a.shape)} and ${b.dtype} ${formatShape(b.shape)} are of different types; cast one of them`,
    );
  }
}

/** `[start, end)` along an axis; null = all of it, end null = to its end; negative numbers count from its end. */
export type Range = readonly [start: Dim, end: Dim | null] | null;

export function matmulShape(a: Shape, b: Shape, { transposeA, transposeB }: { transposeA: boolean; transposeB: boolean }): Dim[] {
  const what = `matmul: ${formatShape(a)}${transposeA ? "ᵀ" : ""} and ${formatShape(b)}${transposeB ? "ᵀ" : ""}`;
  if (a.length < 2 || b.length < 2) throw new ShapeError(`${what} are not both matrices`);
  const [m, k] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [rows, n] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (k !== rows) throw new ShapeError(`${what} do not multiply: ${k} columns, ${rows} rows`);
  return [...broadcastShapes(`${what}, batch axes`, a.slice(0, -2), b.slice(0, -2)), m, n];
}

export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Dim[] {
  return keepDims ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i));
}

/** Symbolic sizes must survive as they are; the numeric ones must hold the same number of elements. */
export function checkReshape(from: Shape, to: Shape): void {
  const parts = (shape: Shape) => ({
    symbolic: shape
      .filter((dim) => typeof dim === "string")
      .sort()
      .join(),
    numeric: sizeOf(shape.filter((dim) => typeof dim === "number")),
  });
  const [a, b] = [parts(from), parts(to)];
  if (a.symbolic !== b.symbolic || a.numeric !== b.numeric) {
    throw new ShapeError(`reshape: ${formatShape(from)} does not hold as many elements as ${formatShape(to)}`);
  }
}

export function transposedShape(shape: Shape, permutation: readonly number[]): Dim[] {
  const isPermutation =
    permutation.length === shape.length && new Set(permutation).size === shape.length && permutation.every((axis) => axis in shape);
  if (!isPermutation) {
    throw new ShapeError(`transpose: [${permutation.join(", ")}] is no permutation of the axes of ${formatShape(shape)}`);
  }
  return permutation.map((axis) => shape[axis]!);
}

/** Whether a size can be one: symbols are judged once they have values. */
const isSize = (dim: Dim): boolean => typeof dim === "string" || (Number.isInteger(dim) && dim >= 0);

/** Bounds counted from the front and the resulting shape. Where symbols remain, bounds are checked once these have values. */
export function sliceShape(shape: Shape, ranges: readonly Range[]): { starts: Dim[]; ends: (Dim | null)[]; shape: Dim[] } {
  if (ranges.length > shape.length) throw new ShapeError(`slice: ${ranges.length} ranges for ${formatShape(shape)}`);
  const parts = shape.map((dim, axis) => {
    const [from, to] = ranges[axis] ?? [0, null];
    const fromFront = (at: Dim) => (typeof at === "number" && at < 0 ? addDims(dim, at) : canonicalDim(at));
    const [start, end] = [fromFront(from), to === null ? dim : fromFront(to)];
    const size = subtractDims(end, start);
    if (![start, size, subtractDims(dim, end)].every(isSize)) {
      throw new ShapeError(`slice: [${from}, ${to ?? "end"}) lies outside axis ${axis} of ${formatShape(shape)}`);
    }
    return { start, end: end === dim ? null : end, size };
  });
  return { starts: parts.map((part) => part.start), ends: parts.map((part) => part.end), shape: parts.map((part) => part.size) };
}

export function paddedShape(shape: Shape, before: Shape, after: Shape): Dim[] {
  const fits = before.length === shape.length && after.length === shape.length;
  if (!fits || ![...before, ...after].every(isSize)) {
    throw new ShapeError(`pad: ${formatShape(before)} before and ${formatShape(after)} after do not fit ${formatShape(shape)}`);
  }
  return shape.map((dim, i) => addDims(before[i]!, dim, after[i]!));
}

export function concatShape(shapes: readonly Shape[], axis: number): Dim[] {
  const first = shapes[0]!;
  if (shapes.some((shape) => shape.length !== first.length || shape.some((dim, i) => i !== axis && dim !== first[i]))) {
    throw new ShapeError(`concat: ${shapes.map(formatShape).join(" and ")} differ beside axis ${axis}`);
  }
  return first.map((dim, i) => (i === axis ? addDims(...shapes.map((shape) => shape[axis]!)) : dim));
}

export function checkBroadcast(from: Shape, to: Shape): void {
  if (!sameShape(broadcastShapes("broadcast", from, to), to)) {
    throw new ShapeError(`broadcast: ${formatShape(from)} does not broadcast to ${formatShape(to)}`);
  }
}

export const gatheredShape = (data: Shape, indices: Shape, axis: number): Dim[] => [
  ...data.slice(0, axis),
  ...indices,
  ...data.slice(axis + 1),
];

export function scatteredShape(indices: Shape, updates: Shape, axis: number, size: Dim): Dim[] {
  const end = axis + indices.length;
  if (!sameShape(updates.slice(axis, end), indices)) {
    throw new ShapeError(`scatterAdd: indices ${formatShape(indices)} do not stand at axis ${axis} of updates ${formatShape(updates)}`);
  }
  return [...updates.slice(0, axis), size, ...updates.slice(end)];
}

export function checkGatherElements(data: Shape, indices: Shape, axis: number): void {
  if (data.length !== indices.length || data.some((dim, i) => i !== axis && dim !== indices[i])) {
    throw new ShapeError(`gatherElements: data ${formatShape(data)} and indices ${formatShape(indices)} differ beside axis ${axis}`);
  }
}

export function scatteredElementsShape(indices: Shape, updates: Shape, axis: number, size: Dim): Dim[] {
  if (!sameShape(indices, updates)) {
    throw new ShapeError(`scatterElementsAdd: indices ${formatShape(indices)} and updates ${formatShape(updates)} differ`);
  }
  return updates.map((dim, i) => (i === axis ? size : dim));
}

export function topKShape(shape: Shape, k: number): Dim[] {
  const last = shape.at(-1);
  if (last === undefined || !Number.isInteger(k) || k < 0 || (typeof last === "number" && k > last)) {
    throw new ShapeError(`topK: no ${k} largest along the last axis of ${formatShape(shape)}`);
  }
  return [...shape.slice(0, -1), k];
}
