import { EngineError, type Expr } from "@proximal/core";
import type { TransformerConfig } from "./config.js";
import { type LoraOptions, type LoraWeights, loraNames, loraScale } from "./lora.js";
import { VALUE_HEAD } from "./parameters.js";

/** y = x Wᵀ + b with W [out, in], and a low-rank update of W. */
export interface LinearWeights {
  weight: Expr;
  /** The weight is stored [in, out]. */
  transposed?: boolean;
  bias?: Expr;
  lora?: LoraWeights;
}

/** An RMS norm; with a bias a layer norm. [d] each. */
export interface NormWeights {
  weight: Expr;
  bias?: Expr;
}

export interface LayerWeights {
  inputNorm: NormWeights;
  /** Queries, keys and values: of a layer each, or side by side of one. */
  qkv: readonly LinearWeights[];
  /** [head_dim], only with `qk_norm`. */
  qNorm?: NormWeights;
  kNorm?: NormWeights;
  o: LinearWeights;
  postNorm: NormWeights;
  /** Of a gated layer; without one its activation is GELU. */
  gate?: LinearWeights;
  up: LinearWeights;
  down: LinearWeights;
}

export interface TransformerWeights {
  embedding: Expr;
  /** [max_position_embeddings, d], only of learned positions. */
  positions?: Expr;
  layers: readonly LayerWeights[];
  finalNorm: NormWeights;
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
  const norm = (name: string): NormWeights => ({ weight: get(`${name}.weight`), bias: parameters.get(`${name}.bias`) });
  const linear = (name: string): LinearWeights => ({ ...norm(name), lora: update(name) });
  const head = (embedding: Expr) => (config.tie_word_embeddings ? embedding : get("lm_head.weight"));
  const value = parameters.has(VALUE_HEAD.weight) ? linear("value_head") : undefined;
  const layers = (arrange: (at: (name: string) => string) => LayerWeights, prefix: string) =>
    Array.from({ length: config.num_hidden_layers }, (_, i) => arrange((name) => `${prefix}.${i}.${name}`));

  if (config.model_type === "gpt2") {
    const stored = (name: string): LinearWeights => ({ ...linear(name), transposed: true });
    const embedding = get("transformer.wte.weight");
    return {
      embedding,
      positions: get("transformer.wpe.weight"),
      layers: layers(
        (at) => ({
          inputNorm: norm(at("ln_1")),
          qkv: [stored(at("attn.c_attn"))],
          o: stored(at("attn.c_proj")),
          postNorm: norm(at("ln_2")),
          up: stored(at("mlp.c_fc")),
          down: stored(at("mlp.c_proj")),
        }),
        "transformer.h",
      ),
      finalNorm: norm("transformer.ln_f"),
      head: head(embedding),
      value,
    };
  }
  const embedding = get("model.embed_tokens.weight");
  return {
    embedding,
    layers: layers(
      (at) => ({
        inputNorm: norm(at("input_layernorm")),
        qkv: ["q_proj", "k_proj", "v_proj"].map((name) => linear(at(`self_attn.${name}`))),
        ...(config.qk_norm ? { qNorm: norm(at("self_attn.q_norm")), kNorm: norm(at("self_attn.k_norm")) } : {}),
        o: linear(at("self_attn.o_proj")),
        postNorm: norm(at("post_attention_layernorm")),
        gate: linear(at("mlp.gate_proj")),
        up: linear(at("mlp.up_proj")),
        down: linear(at("mlp.down_proj")),
      }),
      "model.layers",
    ),
    finalNorm: norm("model.norm"),
    head: head(embedding),
    value,
  };
}
