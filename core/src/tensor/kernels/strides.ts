import type { TensorData } from "../value.js";

/** Distance in elements between neighbours along each axis; 0 repeats the element. */
export type Strides = readonly number[];

export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Strides that read `shape` as if it were broadcast to `target`. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const lead = target.length - shape.length;
  const own = rowMajorStrides(shape);
  return target.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : own[i - lead]!));
}

/** Axes that all operands walk without a break, merged; axes of size 1 dropped. */
function coalesce(shape: readonly number[], operands: readonly Strides[]): { sizes: number[]; steps: number[][] } {
  const sizes: number[] = [];
  const steps: number[][] = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && operands.every((strides, i) => steps[i]![last] === strides[axis]! * size)) {
      sizes[last]! *= size;
      operands.forEach((strides, i) => {
        steps[i]![last] = strides[axis]!;
      });
    } else {
      sizes.push(size);
      operands.forEach((strides, i) => {
        steps[i]!.push(strides[axis]!);
      });
    }
  }
  return { sizes, steps };
}

/**
 * Walks `shape` row by row in row-major order. `visit(n, at, step)` gets the row's length and, for each operand, the
 * position of the row's first element and the step to the next; `at` and `step` are reused between calls.
 */
export function forEachRow(
  shape: readonly number[],
  operands: readonly Strides[],
  visit: (n: number, at: readonly number[], step: readonly number[]) => void,
): void {
  if (shape.includes(0)) return;
  const { sizes, steps } = coalesce(shape, operands);
  const n = sizes.pop() ?? 1;
  const step = steps.map((list) => list.pop() ?? 0);
  const at = operands.map(() => 0);
  const index = sizes.map(() => 0);
  for (;;) {
    visit(n, at, step);
    let axis = sizes.length - 1;
    for (; axis >= 0; axis--) {
      const wraps = ++index[axis]! === sizes[axis]!;
      for (let i = 0; i < at.length; i++) at[i]! += steps[i]![axis]! * (wraps ? 1 - sizes[axis]! : 1);
      if (!wraps) break;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

export interface View {
  readonly data: TensorData;
  readonly strides: Strides;
  readonly offset: number;
}

/** Copies a block of `shape` from one view into another. */
export function copyBlock(shape: readonly number[], from: View, to: View): void {
  const [source, target] = [from.data, to.data];
  forEachRow(shape, [from.strides, to.strides], (n, [read, write], [readStep, writeStep]) => {
    let i = from.offset + read!;
    let o = to.offset + write!;
    for (let k = 0; k < n; k++) {
      target[o] = source[i]!;
      i += readStep!;
      o += writeStep!;
    }
  });
}
