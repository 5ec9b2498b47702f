import { constant, type Expr, external } from "@proximal/core";
import type { Rule } from "./rule.js";

const reduction = (operator: string, x: Expr, node: Expr, axes: readonly number[], keepDims: boolean): Expr =>
  external(operator, [x, constant(axes, undefined, "int")], [{ shape: node.shape, dtype: node.dtype }], {
    attributes: { keepdims: Number(keepDims) },
  })[0]!;

const sumOfSquares: Rule = (node) => {
  if (!node.is("sum") || node.dtype !== "float") return node;
  const x = node.inputs[0]!;
  if (!x.is("mul") || x.inputs[0] !== x.inputs[1]) return node;
  return reduction("ReduceSumSquare", x.inputs[0]!, node, node.attributes.axes, node.attributes.keepDims);
};

const minimum: Rule = (node) => {
  if (!node.is("neg")) return node;
  const peak = node.inputs[0]!;
  if (!peak.is("reduceMax") || !peak.inputs[0]!.is("neg")) return node;
  return reduction("ReduceMin", peak.inputs[0]!.inputs[0]!, node, peak.attributes.axes, peak.attributes.keepDims);
};

/** Patterns for which the runtime has one operator. */
export const runtimeRules: readonly Rule[] = [sumOfSquares, minimum];
