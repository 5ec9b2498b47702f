import { concat, type Dim, type Expr, input, iota, where } from "@proximal/core";
import { type LoweredGraph, type LowerOptions, lower } from "../lowering/index.js";
import {
  type Attend,
  arrangeWeights,
  type LoraOptions,
  policyInputs,
  ropeTables,
  type TransformerConfig,
  transformer,
} from "../model/index.js";
import { cacheName, HIDDEN, prefillAttention } from "./attention.js";

/**
 * Keys and values of tokens that follow others whose keys and values are known: `ids`, `positions` int [P, L], padded on the
 * right; `keys.i`, `values.i` [P, Hkv, past, D] and `bias` [P, past] (0, or a large negative number to hide a slot)
 * → `keys.i.next`, `values.i.next` [P, Hkv, past + L, D]. Positions are below `positions`.
 */
export function extendGraph(
  config: TransformerConfig,
  {
    lora,
    positions = config.max_position_embeddings,
    ...options
  }: { lora?: LoraOptions; positions?: number } & Pick<LowerOptions, "dims" | "profile"> = {},
): LoweredGraph {
  const weights = arrangeWeights(config, policyInputs(config, { lora }), lora);
  const { num_key_value_heads: groups, head_dim: width } = config;
  const [ids, places] = [input("ids", ["P", "L"], "int"), input("positions", ["P", "L"], "int")];
  const whole: Dim[] = ["P", 1, 1, "L"];
  const causal = where(iota("L").expandDims(1).less(iota("L")), HIDDEN, 0).broadcastTo([...whole, "L"]);
  const earlier = input("bias", ["P", "past"])
    .reshape(["P", 1, 1, 1, "past"])
    .broadcastTo([...whole, "past"]);
  const bias = concat([earlier, causal], -1);
  const outputs: Record<string, Expr> = {};
  const attend: Attend = ({ q, k, v }, layer) => {
    const joined = (part: "keys" | "values", recent: Expr) => {
      const name = cacheName(part, layer);
      const all = concat([input(name, ["P", groups, "past", width]), recent.transpose([0, 2, 1, 3])], 2);
      outputs[`${name}.next`] = all;
      return all;
    };
    return prefillAttention(q, { keys: joined("keys", k), values: joined("values", v) }, bias);
  };
  transformer(config, weights, ids, ropeTables(config, places, positions), attend);
  return lower({ outputs, forward: true, ...options });
}
