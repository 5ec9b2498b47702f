import { CheckpointError, ConfigError } from "@proximal/core";
import { parameterTable, parseConfig, ropeFrequencies, type TransformerConfig } from "../model/index.js";
import type { GgufHeader } from "./header.js";
import { type Rearrangement, readStored, type StoredTensor } from "./tensors.js";

/** Architectures that are read; llama.cpp and Hugging Face call them the same. */
const ARCHITECTURES = ["llama", "qwen2", "qwen3", "gpt2"] as const;

/** Middle of a parameter's name: Hugging Face's, llama.cpp's. */
const LAYER_NAMES: Readonly<Record<string, string>> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
  ln_1: "attn_norm",
  "attn.c_attn": "attn_qkv",
  "attn.c_proj": "attn_output",
  ln_2: "ffn_norm",
  "mlp.c_fc": "ffn_up",
  "mlp.c_proj": "ffn_down",
};
const OUTER_NAMES: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  "transformer.wte": "token_embd",
  "transformer.wpe": "position_embd",
  "transformer.ln_f": "output_norm",
  lm_head: "output",
};

/** llama.cpp's name of a parameter; `undefined` when it has none. */
function storedName(name: string): string | undefined {
  const [, stem, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  if (stem === undefined) return undefined;
  const [, layer, inner] = /^(?:model\.layers|transformer\.h)\.(\d+)\.(.*)$/.exec(stem) ?? [];
  const stored = inner === undefined ? OUTER_NAMES[stem] : LAYER_NAMES[inner];
  if (stored === undefined) return undefined;
  return `${layer === undefined ? "" : `blk.${layer}.`}${stored}.${kind}`;
}

/** A float32 number that was written as a short decimal. */
const short = (value: unknown): number | undefined => (typeof value === "number" ? Number(value.toPrecision(7)) : undefined);

/** Settings of the position scaling of Llama 3.1 and later, of which a file holds only what follows from them. */
const LLAMA3 = { rope_type: "llama3", low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** Configuration of the model in a file. */
export function ggufConfig({ path, metadata, tensors }: GgufHeader): TransformerConfig {
  const architecture = ARCHITECTURES.find((name) => name === metadata["general.architecture"]);
  if (architecture === undefined) {
    throw new ConfigError("unsupported architecture", {
      file: path,
      path: "general.architecture",
      given: metadata["general.architecture"],
      accepted: ARCHITECTURES,
    });
  }
  const value = (key: string): unknown => metadata[`${architecture}.${key}`];
  const common = {
    model_type: architecture,
    vocab_size: tensors.get("token_embd.weight")?.shape[0],
    tie_word_embeddings: !tensors.has("output.weight"),
  };
  if (architecture === "gpt2") {
    const gpt2 = {
      ...common,
      n_embd: value("embedding_length"),
      n_inner: value("feed_forward_length"),
      n_layer: value("block_count"),
      n_head: value("attention.head_count"),
      n_positions: value("context_length"),
      layer_norm_epsilon: short(value("attention.layer_norm_epsilon")),
    };
    return parseConfig(gpt2, path);
  }
  const json: Record<string, unknown> = {
    ...common,
    hidden_act: "silu",
    hidden_size: value("embedding_length"),
    intermediate_size: value("feed_forward_length"),
    num_hidden_layers: value("block_count"),
    num_attention_heads: value("attention.head_count"),
    num_key_value_heads: value("attention.head_count_kv"),
    head_dim: value("attention.key_length") ?? (architecture === "llama" ? value("rope.dimension_count") : undefined),
    max_position_embeddings: value("context_length"),
    rope_theta: value("rope.freq_base"),
    rms_norm_eps: short(value("attention.layer_norm_rms_epsilon")),
    attention_bias: architecture === "llama" ? tensors.has("blk.0.attn_q.bias") : undefined,
    mlp_bias: tensors.has("blk.0.ffn_gate.bias"),
    rope_scaling: scalingOf(value),
  };
  const config = parseConfig(json, path);
  const factors = tensors.get("rope_freqs.weight");
  if (factors === undefined) return config;
  const [stored] = readStored([factors]);
  const scaled = parseConfig({ ...json, rope_scaling: { ...LLAMA3, factor: Math.max(...stored!) } }, path);
  const frequencies = ropeFrequencies(scaled);
  const same = ropeFrequencies(config).every((plain, i) => Math.abs(plain / frequencies[i]! / stored![i]! - 1) < 1e-4);
  if (same) return scaled;
  throw new CheckpointError("tensor rope_freqs.weight: another scaling of positions than Llama 3's", { file: path });
}

function scalingOf(value: (key: string) => unknown): Record<string, unknown> | null {
  const type = value("rope.scaling.type") ?? "none";
  if (type === "none") return null;
  return {
    rope_type: type,
    factor: value("rope.scaling.factor"),
    original_max_position_embeddings: value("rope.scaling.original_context_length"),
  };
}

/** Where each parameter of the table lies in the file; a value head lies nowhere. */
export function ggufParameters({ path, tensors }: GgufHeader, config: TransformerConfig): [name: string, stored: StoredTensor][] {
  return parameterTable(config).map(({ name, shape, transposed = false }) => {
    const from = storedName(name);
    const stored = tensors.get(from ?? name);
    if (stored === undefined) throw new CheckpointError(`tensor ${from ?? name}: missing`, { file: path });
    const expected = transposed ? [...shape].reverse() : shape;
    if (stored.shape.join() !== expected.join()) {
      throw new CheckpointError(`tensor ${stored.name}: another shape`, {
        file: path,
        given: `[${stored.shape.join(", ")}]`,
        accepted: `[${expected.join(", ")}]`,
      });
    }
    return [name, { ...stored, rearrange: transposed ? { kind: "transpose" } : rearrangementOf(name, config) }];
  });
}

/** llama.cpp stores the queries and keys of Llama for a rotation of neighbouring features. */
function rearrangementOf(name: string, config: TransformerConfig): Rearrangement | undefined {
  if (config.model_type !== "llama") return undefined;
  if (name.includes(".q_proj.")) return { kind: "unpair", heads: config.num_attention_heads };
  if (name.includes(".k_proj.")) return { kind: "unpair", heads: config.num_key_value_heads };
  return undefined;
}
