import { type Expr, external, sameShape } from "@proximal/core";
import { numberOf, type Rule, type RuleTable } from "./rule.js";

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

/** A weight matrix read as it is stored: the runtime copies the right operand of a product into panels, never the left one. */
const isParameter = (x: Expr): boolean => x.is("input") && x.rank === 2;

const exchanged = (x: Expr): x is Expr<"transpose"> => x.is("transpose") && x.rank === 2 && x.attributes.permutation[0] === 1;

/** f(xᵀ, yᵀ) = f(x, y)ᵀ, element by element: the transposes meet the next product, which reads either form. */
const transposeOutwards: Rule<"mul" | "sigmoid"> = (node, inputs) => {
  if (!inputs.every(exchanged)) return undefined;
  const [x, y] = inputs.map((operand) => operand.inputs[0]!);
  return (node.is("sigmoid") ? x!.sigmoid() : x!.mul(y!)).transpose([1, 0]);
};

/** Only where no gradient needs the inner values: products as a few rows want them, and whole layers for which the runtime has one operator. */
export const forward: RuleTable = {
  sigmoid: transposeOutwards,
  // x Wᵀ = (W xᵀ)ᵀ: with few rows, packing W would cost more than the product.
  matmul: (node, [x, weight]) => {
    const { transposeA, transposeB } = node.attributes;
    if (!transposeB || x!.rank !== 2 || !isParameter(weight!) || isParameter(x!)) return undefined;
    return weight!.matmul(x!, { transposeB: !transposeA }).transpose([1, 0]);
  },
  mul: (node, [normalised, weight]) => {
    const transposed = transposeOutwards(node, [normalised!, weight!]);
    if (transposed) return transposed;
    // x / √(mean(x²) + ε) · w
    if (!normalised!.is("mul") || weight!.rank !== 1 || weight!.shape[0] !== node.shape.at(-1)) return undefined;
    const [x, inverse] = normalised!.inputs as [Expr, Expr];
    const norm = inverseRootMeanSquare(inverse);
    if (norm?.x !== x) return undefined;
    const attributes = { axis: -1, epsilon: { float: norm.epsilon } };
    return external("SimplifiedLayerNormalization", [x, weight!], [{ shape: node.shape, dtype: "float" }], { attributes })[0]!;
  },
};
