import { ShapeError } from "../errors.js";
import type { Dim } from "./dim.js";

/** Element type of an expression. `float` is float32 in graphs and float64 in the reference evaluator. */
export type DType = "float" | "int" | "bool";

export type Shape = readonly Dim[];

export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Axis counted from the front; negative axes count from the end. */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  const result = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || result < 0 || result >= rank) {
    throw new ShapeError(`${what}: axis ${axis} does not exist in a shape of rank ${rank}`);
  }
  return result;
}

export function normalizeAxes(axes: number | readonly number[] | undefined, rank: number, what: string): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === "number" ? [axes] : [...axes]).map((axis) => normalizeAxis(axis, rank, what));
  const unique = [...new Set(list)].sort((a, b) => a - b);
  if (unique.length !== list.length) throw new ShapeError(`${what}: an axis is named twice in [${list.join(", ")}]`);
  return unique;
}

/** Numpy broadcasting of shapes; symbols are equal only to themselves and to 1. */
export function broadcastShapes(what: string, ...shapes: Shape[]): Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    let dim: Dim = 1;
    for (const shape of shapes) {
      const other = shape[shape.length - rank + i] ?? 1;
      if (other === 1 || other === dim) continue;
      if (dim !== 1) throw new ShapeError(`${what}: shapes ${shapes.map(formatShape).join(" and ")} do not broadcast`);
      dim = other;
    }
    result.push(dim);
  }
  return result;
}

/** Product of sizes; undefined when a symbol takes part. */
export function sizeOf(shape: Shape): number | undefined {
  let size = 1;
  for (const dim of shape) {
    if (typeof dim === "string") return undefined;
    size *= dim;
  }
  return size;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);
