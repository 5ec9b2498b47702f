import type { TensorValue } from "../value.js";
import { elementCount } from "../value.js";
import type { Kernel } from "./kernel.js";
import { broadcastStrides, forEachRow } from "./strides.js";

/** The same matrices with their last two axes exchanged. */
function transposed({ shape, data }: TensorValue): TensorValue {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  const result = new Float64Array(data.length);
  for (let base = 0; base < data.length; base += rows * columns) {
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[base + j * rows + i] = data[base + i * columns + j]!;
  }
  return { shape: [...shape.slice(0, -2), columns, rows], data: result };
}

/** c[m, n] += a[m, k] · b[k, n], row by row of b so that the inner loop runs along memory, four rows at a time. */
function multiplyAdd(a: Float64Array, b: Float64Array, c: Float64Array, m: number, k: number, n: number): void {
  for (let i = 0; i < m; i++) {
    const out = c.subarray(i * n, (i + 1) * n);
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const at = i * k + p;
      const [a0, a1, a2, a3] = [a[at]!, a[at + 1]!, a[at + 2]!, a[at + 3]!];
      const [r0, r1, r2, r3] = [p * n, (p + 1) * n, (p + 2) * n, (p + 3) * n];
      for (let j = 0; j < n; j++) out[j]! += a0 * b[r0 + j]! + a1 * b[r1 + j]! + a2 * b[r2 + j]! + a3 * b[r3 + j]!;
    }
    for (; p < k; p++) {
      const scale = a[i * k + p]!;
      for (let j = 0; j < n; j++) out[j]! += scale * b[p * n + j]!;
    }
  }
}

export const matmul: Kernel<"matmul"> = ({ node, inputs, shape }) => {
  const a = node.attributes.transposeA ? transposed(inputs[0]!) : inputs[0]!;
  const b = node.attributes.transposeB ? transposed(inputs[1]!) : inputs[1]!;
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const result = new Float64Array(elementCount(shape));
  const batch = shape.slice(0, -2);
  const [left, right] = [a.data as Float64Array, b.data as Float64Array];
  const strides = [broadcastStrides(a.shape.slice(0, -2), batch), broadcastStrides(b.shape.slice(0, -2), batch)];
  let c = 0;
  forEachRow(batch, strides, (count, [p, q], [pStep, qStep]) => {
    for (let i = 0; i < count; i++, c += m * n) {
      const [at, bt] = [(p! + i * pStep!) * m * k, (q! + i * qStep!) * k * n];
      multiplyAdd(left.subarray(at, at + m * k), right.subarray(bt, bt + k * n), result.subarray(c, c + m * n), m, k, n);
    }
  });
  return result;
};
