import { addDims, concat, type Dim, type Expr, input, iota, where } from "@proximal/core";
import { HIDDEN, prefillAttention } from "../generation/attention.js";
import {
  type Attend,
  arrangeWeights,
  logits,
  parameterInputs,
  parameterTable,
  ropeTables,
  type TransformerConfig,
  transformer,
} from "../model/index.js";

const [BATCH, PAST, NEW] = ["batch_size", "past_sequence_length", "sequence_length"];

/**
 * The decoder as transformers.js and Optimum expect it: some new tokens a row after those whose keys and values are given.
 *
 * Inputs: `input_ids`, `position_ids` int [batch_size, sequence_length]; `attention_mask` int [batch_size, past + new], 0 hides a
 * token; `past_key_values.i.key`, `.value` [batch_size, Hkv, past_sequence_length, D].
 * Outputs: `logits` [batch_size, sequence_length, V]; `present.i.key`, `.value` [batch_size, Hkv, past + new, D].
 */
export function cachedOutputs(config: TransformerConfig): Record<string, Expr> {
  const { num_key_value_heads: groups, head_dim: width, max_position_embeddings: length } = config;
  const weights = arrangeWeights(config, parameterInputs(parameterTable(config)));
  const total = addDims(PAST!, NEW!);
  const tokens = (name: string, size: Dim) => input(name, [BATCH!, size], "int");
  const [ids, mask, positions] = [tokens("input_ids", NEW!), tokens("attention_mask", total), tokens("position_ids", NEW!)];
  // A token sees itself and what stands before it, from its place among all.
  const later = iota(total).slice([PAST!, null]).expandDims(1).less(iota(total));
  const hidden = later.or(mask.equal(0).reshape([BATCH!, 1, 1, 1, total]));
  const bias = where(hidden, HIDDEN, 0);
  const present: Record<string, Expr> = {};
  const attend: Attend = ({ q, k, v }, layer) => {
    const joined = (part: "key" | "value", recent: Expr) => {
      const past = input(`past_key_values.${layer}.${part}`, [BATCH!, groups, PAST!, width]);
      const all = concat([past, recent.transpose([0, 2, 1, 3])], 2);
      present[`present.${layer}.${part}`] = all;
      return all;
    };
    return prefillAttention(q, { keys: joined("key", k), values: joined("value", v) }, bias);
  };
  const states = transformer(config, weights, ids, ropeTables(config, positions, length), attend);
  return { logits: logits(states, weights), ...present };
}
