import { type Expr, external, sameShape } from "@proximal/core";
import { numberOf, type RuleTable } from "./rule.js";

/** The sum of squares over the last axis, keepDims, that `mean` is 1/size of. */
function squaresOf(mean: Expr | undefined): Expr | undefined {
  const squares = mean?.inputs[0];
  if (!squares?.is("external") || squares.attributes.operator !== "ReduceSumSquare") return undefined;
  const { shape } = squares.inputs[0]!;
  const number = numberOf(mean!.inputs[1]!);
  const size = mean!.is("div") ? number : mean!.is("mul") && number !== undefined ? 1 / number : undefined;
  return sameShape(squares.shape, [...shape.slice(0, -1), 1]) && size === shape.at(-1) ? squares.inputs[0] : undefined;
}

/** x and ε of 1 / √(mean(x²) + ε) over the last axis. */
function inverseRootMeanSquare(node: Expr): { x: Expr; epsilon: number } | undefined {
  if (!node.is("div") || numberOf(node.inputs[0]!) !== 1 || !node.inputs[1]!.is("sqrt")) return undefined;
  const sum = node.inputs[1]!.inputs[0]!;
  const [x, epsilon] = sum.is("add") ? [squaresOf(sum.inputs[0]), numberOf(sum.inputs[1]!)] : [];
  return x === undefined || epsilon === undefined ? undefined : { x, epsilon };
}

/** Whole layers for which the runtime has one operator: only where no gradient needs their inner values. */
export const forward: RuleTable = {
  // x / √(mean(x²) + ε) · w
  mul: (node, [normalised, weight]) => {
    if (!normalised!.is("mul") || weight!.rank !== 1 || weight!.shape[0] !== node.shape.at(-1)) return undefined;
    const [x, inverse] = normalised!.inputs as [Expr, Expr];
    const norm = inverseRootMeanSquare(inverse);
    if (norm?.x !== x) return undefined;
    const attributes = { axis: -1, epsilon: { float: norm.epsilon } };
    return external("SimplifiedLayerNormalization", [x, weight!], [{ shape: node.shape, dtype: "float" }], { attributes })[0]!;
  },
};
