import { customGradient, type Expr, guard, vectorJacobianProduct } from "@proximal/core";
import type { TransformerConfig } from "./config.js";
import { type Attend, block, embed, norm, type RopeTables } from "./layers.js";
import type { LayerWeights, LinearWeights, TransformerWeights } from "./weights.js";

export interface ForwardOptions {
  /** Backward computes each block's inner values again instead of keeping them. */
  recompute?: boolean;
  /** Tokens whose states are wanted; applied before the final norm. */
  select?: (states: Expr) => Expr;
}

/** Final-layer states, normalised: ids [...] → [..., d]. `tables` hold each token's position. */
export function transformer(
  config: TransformerConfig,
  weights: TransformerWeights,
  ids: Expr,
  tables: RopeTables,
  attend: Attend,
  { recompute = false, select = (states) => states }: ForwardOptions = {},
): Expr {
  let x = embed(ids, weights.embedding);
  if (weights.positions !== undefined) x = x.add(embed(tables.positions, weights.positions));
  for (const [index, layer] of weights.layers.entries()) {
    x = recompute ? recomputedBlock(x, layer, index, config, tables, attend) : block(x, layer, index, config, tables, attend);
  }
  return norm(select(x), weights.finalNorm, config.rms_norm_eps);
}

/** Unnormalised log-probabilities of the next token: [..., d] → [..., V]. */
export const logits = (hidden: Expr, weights: TransformerWeights): Expr => hidden.matmul(weights.head, { transposeB: true });

/** Parameters of a layer in a fixed order. */
function layerParameters(layer: LayerWeights): Expr[] {
  return Object.values(layer as unknown as Record<string, LinearWeights | readonly LinearWeights[] | undefined>)
    .flat()
    .flatMap((part) => (part === undefined ? [] : [part.weight, part.bias, part.lora?.a, part.lora?.b]))
    .filter((parameter) => parameter !== undefined);
}

/** A block whose backward pass starts from x alone. The guard keeps the second computation apart and behind the gradient. */
function recomputedBlock(x: Expr, layer: LayerWeights, index: number, config: TransformerConfig, tables: RopeTables, attend: Attend): Expr {
  const parameters = layerParameters(layer);
  return customGradient(block(x, layer, index, config, tables, attend), [x, ...parameters], (g) => {
    const again = guard(x, g);
    const output = block(again, layer, index, config, tables, attend);
    return vectorJacobianProduct([{ output, cotangent: g }], [again, ...parameters]);
  });
}
