import { type Expr, external } from "@proximal/core";

const runtime = (operator: "Softmax" | "LogSoftmax", x: Expr): Expr =>
  external(operator, [x], [{ shape: x.shape, dtype: "float" }], { attributes: { axis: -1 } })[0]!;

/** Softmax over the last axis in one kernel; it has no gradient. */
export const softmax = (x: Expr): Expr => runtime("Softmax", x);
export const logSoftmax = (x: Expr): Expr => runtime("LogSoftmax", x);
