import { type Expr, elementCount, input, type Random } from "@proximal/core";
import type { TransformerConfig } from "./config.js";

/** One trained tensor. Matrices are stored as Hugging Face does: [out, in] but for the layers of GPT-2. */
export interface ParameterSpec {
  /** Hugging Face's name, e.g. "model.layers.0.self_attn.q_proj.weight". */
  name: string;
  shape: readonly number[];
  /** "fan-in": U(−1/√in, 1/√in), Kaiming's uniform start with slope √5, as PEFT starts A. */
  init: "normal" | "zeros" | "ones" | "fan-in";
  /** Weight decay applies: matrices yes, norms and biases no. */
  decay: boolean;
  /** A matrix stored [in, out]. */
  transposed?: boolean;
}

export const VALUE_HEAD = { weight: "value_head.weight", bias: "value_head.bias" } as const;

const matrix = (name: string, rows: number, columns: number): ParameterSpec => ({
  name,
  shape: [rows, columns],
  init: "normal",
  decay: true,
});
const norm = (name: string, width: number): ParameterSpec => ({ name, shape: [width], init: "ones", decay: false });
const bias = (name: string, width: number): ParameterSpec => ({ name, shape: [width], init: "zeros", decay: false });

/** Every parameter of the policy, in a fixed order. */
export function parameterTable(config: TransformerConfig, { valueHead = false } = {}): ParameterSpec[] {
  const { hidden_size: d, vocab_size: v } = config;
  const table = config.model_type === "gpt2" ? gpt2Table(config) : llamaTable(config);
  if (!config.tie_word_embeddings) table.push(matrix("lm_head.weight", v, d));
  if (valueHead) table.push({ ...matrix(VALUE_HEAD.weight, 1, d), init: "zeros" }, bias(VALUE_HEAD.bias, 1));
  return table;
}

function gpt2Table({ hidden_size: d, intermediate_size: f, vocab_size: v, ...config }: TransformerConfig): ParameterSpec[] {
  const layer = (name: string, width: number, out: number): ParameterSpec[] => [
    { ...matrix(`${name}.weight`, width, out), transposed: true },
    bias(`${name}.bias`, out),
  ];
  const layerNorm = (name: string): ParameterSpec[] => [norm(`${name}.weight`, d), bias(`${name}.bias`, d)];
  const table = [matrix("transformer.wte.weight", v, d), matrix("transformer.wpe.weight", config.max_position_embeddings, d)];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const at = (name: string) => `transformer.h.${i}.${name}`;
    table.push(...layerNorm(at("ln_1")), ...layer(at("attn.c_attn"), d, 3 * d), ...layer(at("attn.c_proj"), d, d));
    table.push(...layerNorm(at("ln_2")), ...layer(at("mlp.c_fc"), d, f), ...layer(at("mlp.c_proj"), f, d));
  }
  return [...table, ...layerNorm("transformer.ln_f")];
}

function llamaTable(config: TransformerConfig): ParameterSpec[] {
  const { hidden_size: d, intermediate_size: f, vocab_size: v, head_dim } = config;
  const queries = config.num_attention_heads * head_dim;
  const keys = config.num_key_value_heads * head_dim;
  const table = [matrix("model.embed_tokens.weight", v, d)];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const at = (name: string) => `model.layers.${i}.${name}`;
    table.push(norm(at("input_layernorm.weight"), d));
    for (const [name, width] of [
      ["q_proj", queries],
      ["k_proj", keys],
      ["v_proj", keys],
    ] as const) {
      table.push(matrix(at(`self_attn.${name}.weight`), width, d));
      if (config.qkv_bias) table.push(bias(at(`self_attn.${name}.bias`), width));
    }
    if (config.qk_norm) table.push(norm(at("self_attn.q_norm.weight"), head_dim), norm(at("self_attn.k_norm.weight"), head_dim));
    table.push(matrix(at("self_attn.o_proj.weight"), d, queries));
    if (config.output_bias) table.push(bias(at("self_attn.o_proj.bias"), d));
    table.push(norm(at("post_attention_layernorm.weight"), d));
    for (const [name, rows, columns] of [
      ["gate_proj", f, d],
      ["up_proj", f, d],
      ["down_proj", d, f],
    ] as const) {
      table.push(matrix(at(`mlp.${name}.weight`), rows, columns));
      if (config.mlp_bias) table.push(bias(at(`mlp.${name}.bias`), rows));
    }
  }
  table.push(norm("model.norm.weight", d));
  return table;
}

/** New values: N(0, initializer_range²) for the model's matrices; each parameter draws from a stream of its own name. */
export function initialValues(spec: ParameterSpec, config: TransformerConfig, random: Random): Float32Array<ArrayBuffer> {
  const values = new Float32Array(elementCount(spec.shape));
  if (spec.init === "ones") return values.fill(1);
  if (spec.init === "zeros") return values;
  const stream = random.fork("init", spec.name);
  const bound = 1 / Math.sqrt(spec.shape.at(-1)!);
  const draw = spec.init === "fan-in" ? () => bound * (2 * stream.uniform() - 1) : () => config.initializer_range * stream.normal();
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}

/** The parameters as graph inputs, by name. */
export function parameterInputs(table: readonly ParameterSpec[]): Map<string, Expr<"input">> {
  return new Map(table.map(({ name, shape }) => [name, input(name, shape)]));
}
