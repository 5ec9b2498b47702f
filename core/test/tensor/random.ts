import fc from "fast-check";
import type { TensorValue } from "../../src/tensor/index.js";

/** Shapes with some axes of size 1; `min` 0 adds empty axes. */
export const shapes = ({ rank = [0, 3], min = 1, max = 3 }: { rank?: [number, number]; min?: number; max?: number } = {}) =>
  fc.array(fc.integer({ min, max }), { minLength: rank[0], maxLength: rank[1] });

const withoutLeadingOnes = (shape: readonly number[]): number[] => {
  const first = shape.findIndex((dim) => dim !== 1);
  return first < 0 ? [] : shape.slice(first);
};

/** Two shapes that broadcast to `full`: each axis is whole in one or both; leading ones may be missing. */
export const broadcastPairs = (options?: Parameters<typeof shapes>[0]) =>
  shapes(options).chain((full) =>
    fc
      .tuple(fc.array(fc.constantFrom("both", "a", "b"), { minLength: full.length, maxLength: full.length }), fc.boolean(), fc.boolean())
      .map(([whole, shortA, shortB]) => {
        const [a, b] = ["a", "b"].map((side) => full.map((dim, i) => (whole[i] === side || whole[i] === "both" ? dim : 1)));
        return { full, a: shortA ? withoutLeadingOnes(a!) : a!, b: shortB ? withoutLeadingOnes(b!) : b! };
      })
      // Both may have dropped a leading axis of size 1.
      .map(({ full: whole, a, b }) => ({ a, b, full: whole.slice(whole.length - Math.max(a.length, b.length)) })),
  );

export const axisOf = (shape: readonly number[]) => fc.integer({ min: -shape.length, max: shape.length - 1 });

export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Numbers whose order is random and whose distances are at least 0.2 · scale: no step of a difference crosses a kink. */
export function distinct(shape: readonly number[], seed: number, { low = -1, scale = 1 } = {}): TensorValue {
  const count = size(shape);
  const order = Array.from({ length: count }, (_, i) => ({ i, key: Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453 }));
  order.sort((a, b) => a.key - Math.floor(a.key) - (b.key - Math.floor(b.key)));
  return { shape: [...shape], data: Float64Array.from(order, ({ i }) => low + scale * (0.25 * i + 0.04 * Math.sin(seed + i))) };
}

export function integers(shape: readonly number[], seed: number, below: number): TensorValue {
  return {
    shape: [...shape],
    data: Int32Array.from({ length: size(shape) }, (_, i) => Math.abs(Math.floor(Math.sin(i * 7.13 + seed) * 1e4)) % below),
  };
}

/** Calls f with every index of a shape, in row-major order. */
export function tabulate(shape: readonly number[], f: (index: number[]) => number): number[] {
  return Array.from({ length: size(shape) }, (_, at) => {
    const index: number[] = [];
    let rest = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return f(index);
  });
}

/** Element of a tensor that is read as if broadcast: missing leading axes and axes of size 1 repeat. */
export function read({ shape, data }: TensorValue, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  return data[shape.reduce((at, dim, i) => at * dim + (dim === 1 ? 0 : own[i]!), 0)]!;
}
