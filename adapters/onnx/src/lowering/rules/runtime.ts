import { constant, type Expr, external, sameShape } from "@proximal/core";
import { ONE_HOT_LIMIT } from "../emit/indexing.js";
import type { RuleTable } from "./rule.js";

const reduction = (operator: string, x: Expr, node: Expr, axes: readonly number[], keepDims: boolean): Expr =>
  external(operator, [x, constant(axes, undefined, "int")], [{ shape: node.shape, dtype: node.dtype }], {
    attributes: { keepdims: Number(keepDims) },
  })[0]!;

/** The operand and axis of exp(y − log Σ exp y) with y = x − max x. */
function softmaxOperand(difference: Expr): { x: Expr; axis: number } | undefined {
  if (!difference.is("sub")) return undefined;
  const [shifted, total] = difference.inputs as [Expr, Expr];
  const sum = total.is("log") ? total.inputs[0]! : undefined;
  if (!shifted.is("sub") || !sum?.is("sum") || !sum.inputs[0]!.is("exp") || sum.inputs[0]!.inputs[0] !== shifted) return undefined;
  const [x, peak] = shifted.inputs as [Expr, Expr];
  const [axis, ...others] = sum.attributes.axes;
  if (!peak.is("reduceMax") || peak.inputs[0] !== x || peak.attributes.axes.join() !== `${axis}` || others.length > 0) return undefined;
  return { x, axis: axis! };
}

/** Adding scattered updates to something writes them into it. */
function scatterInto(data: Expr, scatter: Expr): Expr | undefined {
  if (!sameShape(data.shape, scatter.shape)) return undefined;
  const [indices, updates] = scatter.inputs as [Expr, Expr];
  const into = (spread: Expr, axis: number) =>
    external("ScatterElements", [data, spread, updates], [{ shape: data.shape, dtype: "float" }], {
      attributes: { axis, reduction: "add" },
    })[0];
  if (scatter.is("scatterElementsAdd")) return into(indices, scatter.attributes.axis);
  const isRows = scatter.is("scatterAdd") && scatter.attributes.axis === 0 && indices.rank === 1 && updates.rank === 2;
  const isLong = typeof data.shape[0] !== "number" || data.shape[0] > ONE_HOT_LIMIT;
  return isRows && isLong ? into(indices.expandDims(-1).broadcastTo(updates.shape), 0) : undefined;
}

/** Patterns for which the runtime has one operator. */
export const runtime: RuleTable = {
  exp: (_, [difference]) => {
    const found = softmaxOperand(difference!);
    return found && external("Softmax", [found.x], [{ shape: found.x.shape, dtype: "float" }], { attributes: { axis: found.axis } })[0];
  },
  add: (_, [a, b]) => scatterInto(a!, b!) ?? scatterInto(b!, a!),
  sum: (node, [x]) => {
    if (!x!.is("mul") || x!.inputs[0] !== x!.inputs[1] || node.dtype !== "float") return undefined;
    return reduction("ReduceSumSquare", x!.inputs[0]!, node, node.attributes.axes, node.attributes.keepDims);
  },
  neg: (node, [peak]) => {
    if (!peak!.is("reduceMax") || !peak!.inputs[0]!.is("neg")) return undefined;
    return reduction("ReduceMin", peak!.inputs[0]!.inputs[0]!, node, peak!.attributes.axes, peak!.attributes.keepDims);
  },
};
