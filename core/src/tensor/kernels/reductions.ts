import { ShapeError } from "../../errors.js";
import { formatShape } from "../shape.js";
import { allocate, elementCount, type TensorData } from "../value.js";
import type { Kernel } from "./kernel.js";
import { forEachRow, rowMajorStrides } from "./strides.js";

/** Strides of the result of a reduction while the operand is walked: 0 along the reduced axes. */
function resultStrides(shape: readonly number[], axes: readonly number[]): number[] {
  const kept = rowMajorStrides(shape.map((dim, i) => (axes.includes(i) ? 1 : dim)));
  return kept.map((step, i) => (axes.includes(i) ? 0 : step));
}

function reduction(start: { float: number; int: number }, combine: (total: number, x: number) => number): Kernel<"sum" | "reduceMax"> {
  return ({ node, inputs: [x], shape }) => {
    const result = allocate(node.dtype, elementCount(shape)).fill(node.dtype === "int" ? start.int : start.float);
    const source = x!.data;
    const strides = [resultStrides(x!.shape, node.attributes.axes), rowMajorStrides(x!.shape)];
    forEachRow(x!.shape, strides, (n, [o, i], [oStep, iStep]) => {
      for (let k = 0, w = o!, r = i!; k < n; k++, w += oStep!, r += iStep!) result[w] = combine(result[w]!, source[r]!);
    });
    return result;
  };
}

/** The operand seen as [outer, size, inner] around one axis. */
export function aroundAxis(shape: readonly number[], axis: number): { outer: number; size: number; inner: number } {
  return { outer: elementCount(shape.slice(0, axis)), size: shape[axis]!, inner: elementCount(shape.slice(axis + 1)) };
}

/** NaN counts as the largest number. */
const larger = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));

const argmax: Kernel<"argmax"> = ({ node, inputs: [x], shape }) => {
  const { outer, size, inner } = aroundAxis(x!.shape, node.attributes.axis);
  const result = new Int32Array(elementCount(shape));
  if (size === 0 && result.length > 0) throw new ShapeError(`argmax: axis ${node.attributes.axis} of ${formatShape(x!.shape)} is empty`);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (k: number) => x!.data[(o * size + k) * inner + i]!;
      let best = 0;
      for (let k = 1; k < size; k++) if (larger(at(k), at(best))) best = k;
      result[o * inner + i] = best;
    }
  }
  return result;
};

const cumsum: Kernel<"cumsum"> = ({ node, inputs: [x] }) => {
  const { axis, exclusive, reverse } = node.attributes;
  const { outer, size, inner } = aroundAxis(x!.shape, axis);
  const result = new Float64Array(x!.data.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let total = 0;
      for (let k = 0; k < size; k++) {
        const at = (o * size + (reverse ? size - 1 - k : k)) * inner + i;
        const value = x!.data[at]!;
        result[at] = exclusive ? total : total + value;
        total += value;
      }
    }
  }
  return result;
};

/** Indices of the k largest of each row, descending; of equals the smaller index first. */
function topIndices(data: TensorData, width: number, k: number): Int32Array {
  if (k > width) throw new ShapeError(`topK: no ${k} largest along an axis of ${width}`);
  const rows = width === 0 ? 0 : data.length / width;
  const result = new Int32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const line = data.subarray(row * width, (row + 1) * width);
    const order = Array.from(line, (_, i) => i).sort((i, j) => (larger(line[i]!, line[j]!) ? -1 : larger(line[j]!, line[i]!) ? 1 : i - j));
    for (let i = 0; i < k; i++) result[row * k + i] = order[i]!;
  }
  return result;
}

const topKIndices: Kernel<"topKIndices"> = ({ node, inputs: [x] }) => topIndices(x!.data, x!.shape.at(-1)!, node.attributes.k);

const topKValues: Kernel<"topKValues"> = ({ node, inputs: [x] }) => {
  const width = x!.shape.at(-1)!;
  const { k } = node.attributes;
  return Float64Array.from(topIndices(x!.data, width, k), (index, at) => x!.data[Math.floor(at / k) * width + index]!);
};

export const reductions = {
  sum: reduction({ float: 0, int: 0 }, (total, x) => total + x),
  reduceMax: reduction({ float: Number.NEGATIVE_INFINITY, int: -(2 ** 31) }, Math.max),
  argmax,
  cumsum,
  topKIndices,
  topKValues,
};
