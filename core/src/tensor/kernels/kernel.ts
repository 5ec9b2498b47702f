import type { Dim } from "../dim.js";
import type { Expr } from "../expr.js";
import type { Op } from "../ops.js";
import type { TensorData, TensorValue } from "../value.js";

/** One evaluation of a node: its operands, its shape in numbers, and the number that a size stands for. */
export interface Call<O extends Op = Op> {
  readonly node: Expr<O>;
  readonly inputs: readonly TensorValue[];
  readonly shape: readonly number[];
  readonly size: (dim: Dim) => number;
}

/** Computes a primitive: the elements of the result, row-major. Operands are never written to. */
export type Kernel<O extends Op = Op> = (call: Call<O>) => TensorData;
