import { constant, type Expr, external } from "@proximal/core";
import type { RuleTable } from "./rule.js";

const reduction = (operator: string, x: Expr, node: Expr, axes: readonly number[], keepDims: boolean): Expr =>
  external(operator, [x, constant(axes, undefined, "int")], [{ shape: node.shape, dtype: node.dtype }], {
    attributes: { keepdims: Number(keepDims) },
  })[0]!;

/** Patterns for which the runtime has one operator. */
export const runtime: RuleTable = {
  sum: (node, [x]) => {
    if (!x!.is("mul") || x!.inputs[0] !== x!.inputs[1] || node.dtype !== "float") return undefined;
    return reduction("ReduceSumSquare", x!.inputs[0]!, node, node.attributes.axes, node.attributes.keepDims);
  },
  neg: (node, [peak]) => {
    if (!peak!.is("reduceMax") || !peak!.inputs[0]!.is("neg")) return undefined;
    return reduction("ReduceMin", peak!.inputs[0]!.inputs[0]!, node, peak!.attributes.axes, peak!.attributes.keepDims);
  },
};
