import { EngineError, type Expr } from "@proximal/core";
import type { TransformerConfig } from "./config.js";
import { type LoraOptions, type LoraWeights, loraNames, loraScale } from "./lora.js";
import { VALUE_HEAD } from "./parameters.js";

/** y = x Wᵀ + b with W [out, in], and a low-rank update of W. */
export interface LinearWeights {
  weight: Expr;
  bias?: Expr;
  lora?: LoraWeights;
}

export interface LayerWeights {
  inputNorm: Expr;
  q: LinearWeights;
  k: LinearWeights;
  v: LinearWeights;
  /** [head_dim], only with `qk_norm`. */
  qNorm?: Expr;
  kNorm?: Expr;
  o: LinearWeights;
  postNorm: Expr;
  gate: LinearWeights;
  up: LinearWeights;
  down: LinearWeights;
}

export interface TransformerWeights {
  embedding: Expr;
  layers: readonly LayerWeights[];
  finalNorm: Expr;
  /** [V, d]; the embedding when tied. */
  head: Expr;
  value?: LinearWeights;
}

/** Arranges parameters, given by Hugging Face name, the way the layer functions take them. */
export function arrangeWeights(config: TransformerConfig, parameters: ReadonlyMap<string, Expr>, lora?: LoraOptions): TransformerWeights {
  const get = (name: string): Expr => {
    const value = parameters.get(name);
    if (value === undefined) throw new EngineError(`the policy has no parameter "${name}"`);
    return value;
  };
  const update = (name: string): LoraWeights | undefined => {
    const names = loraNames(name);
    return lora && parameters.has(names.a) ? { a: get(names.a), b: get(names.b), scale: loraScale(lora) } : undefined;
  };
  const linear = (name: string): LinearWeights => ({
    weight: get(`${name}.weight`),
    bias: parameters.get(`${name}.bias`),
    lora: update(name),
  });
  const embedding = get("model.embed_tokens.weight");
  return {
    embedding,
    layers: Array.from({ length: config.num_hidden_layers }, (_, i) => {
      const at = (name: string) => `model.layers.${i}.${name}`;
      return {
        inputNorm: get(at("input_layernorm.weight")),
        q: linear(at("self_attn.q_proj")),
        k: linear(at("self_attn.k_proj")),
        v: linear(at("self_attn.v_proj")),
        qNorm: parameters.get(at("self_attn.q_norm.weight")),
        kNorm: parameters.get(at("self_attn.k_norm.weight")),
        o: linear(at("self_attn.o_proj")),
        postNorm: get(at("post_attention_layernorm.weight")),
        gate: linear(at("mlp.gate_proj")),
        up: linear(at("mlp.up_proj")),
        down: linear(at("mlp.down_proj")),
      };
    }),
    finalNorm: get("model.norm.weight"),
    head: config.tie_word_embeddings ? embedding : get("lm_head.weight"),
    value: parameters.has(VALUE_HEAD.weight) ? linear("value_head") : undefined,
  };
}
