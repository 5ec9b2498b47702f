import { type Dim, type Expr, input, iota, where } from "@proximal/core";
import { type LoweredGraph, type LowerOptions, loop, lower } from "../lowering/index.js";
import {
  type Attend,
  arrangeWeights,
  type LoraOptions,
  logits,
  policyInputs,
  ropeTables,
  type TransformerConfig,
  transformer,
} from "../model/index.js";
import { cacheName, HIDDEN, prefillAttention } from "./attention.js";
import { logSoftmax } from "./softmax.js";

/**
 * Keys and values of whole sequences, each once: ids int [P, L], padded on the right, where causality hides the padding
 * from the tokens before it. → `keys.i`, `values.i` [P, Hkv, L, D]. L is at most `positions`.
 *
 * With `prefixes` also the log-probs of given tokens: `at` and `target` int [X, P] name a position and the token after it,
 * `inverseTemperature` [P] → `logp` [X, P], nats. One of the X rows at a time, so that [X, P, V] never exists.
 */
export function prefillGraph(
  config: TransformerConfig,
  {
    prefixes = false,
    lora,
    positions = config.max_position_embeddings,
    ...options
  }: { prefixes?: boolean; lora?: LoraOptions; positions?: number } & Pick<LowerOptions, "dims" | "profile"> = {},
): LoweredGraph {
  const weights = arrangeWeights(config, policyInputs(config, { lora }), lora);
  const ids = input("ids", ["P", "L"], "int");
  const outputs: Record<string, Expr> = {};
  const causal = where(iota("L").expandDims(1).less(iota("L")), HIDDEN, 0);
  const attend: Attend = ({ q, k, v }, layer) => {
    const [keys, values] = [k.transpose([0, 2, 1, 3]), v.transpose([0, 2, 1, 3])];
    outputs[cacheName("keys", layer)] = keys;
    outputs[cacheName("values", layer)] = values;
    return prefillAttention(q, { keys, values }, causal);
  };
  const tables = ropeTables(config, iota("L"), positions);
  const hidden = transformer(config, weights, ids, tables, attend);
  if (prefixes) {
    const [position, target] = [input("at", ["X", "P"], "int"), input("target", ["X", "P"], "int")];
    const inverseTemperature = input("inverseTemperature", ["P"]).expandDims(1);
    const width: Dim[] = ["P", 1, config.hidden_size];
    outputs.logp = loop({
      maxIterations: input("count", [], "int"),
      carried: {},
      length: "X",
      body: ({ iteration }) => {
        const rows = hidden.gatherElements(position.gather(iteration).reshape(["P", 1, 1]).broadcastTo(width), 1).squeeze(1);
        const logp = logSoftmax(logits(rows.mul(inverseTemperature), weights));
        return { carried: {}, scans: { logp: logp.gatherElements(target.gather(iteration).expandDims(1)).squeeze(1) } };
      },
    }).scans.logp;
  }
  return lower({ outputs, forward: true, ...options });
}
