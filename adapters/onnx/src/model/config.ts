import { ConfigError } from "@proximal/core";
import { type Static, Type } from "typebox";

/** Frequencies for contexts longer than those of pre-training: the `rope_scaling` of Hugging Face configs. */
const ropeScaling = Type.Union([
  Type.Object({ rope_type: Type.Literal("linear"), factor: Type.Number({ exclusiveMinimum: 0 }) }),
  Type.Object({
    rope_type: Type.Literal("llama3"),
    factor: Type.Number({ exclusiveMinimum: 0 }),
    low_freq_factor: Type.Number({ exclusiveMinimum: 0 }),
    high_freq_factor: Type.Number({ exclusiveMinimum: 0 }),
    original_max_position_embeddings: Type.Integer({ minimum: 1 }),
  }),
]);
export type RopeScaling = Static<typeof ropeScaling>;

const size = (description: string) => Type.Integer({ minimum: 1, description });

/**
 * A decoder with rotary positions, RMS norms, grouped-query attention and SwiGLU: Llama, SmolLM2, Qwen2 and Qwen3 are
 * settings of it. Names are those of Hugging Face's config.json.
 */
export const architectureSchema = Type.Object(
  {
    model_type: Type.Union([Type.Literal("llama"), Type.Literal("qwen2"), Type.Literal("qwen3")], { default: "llama" }),
    vocab_size: size("Rows of the embedding"),
    hidden_size: size("Width of the residual stream"),
    intermediate_size: size("Width of the gated layer"),
    num_hidden_layers: size("Blocks"),
    num_attention_heads: size("Query heads"),
    num_key_value_heads: Type.Optional(size("Key/value heads, a divisor of the query heads; default as many")),
    head_dim: Type.Optional(Type.Integer({ minimum: 2, multipleOf: 2, description: "Default hidden_size / num_attention_heads" })),
    max_position_embeddings: Type.Integer({ minimum: 2, default: 2048, description: "Prompt and response together, tokens" }),
    rope_theta: Type.Number({ exclusiveMinimum: 0, default: 10_000 }),
    rope_scaling: Type.Optional(Type.Union([ropeScaling, Type.Null()])),
    rms_norm_eps: Type.Number({ exclusiveMinimum: 0, default: 1e-6 }),
    tie_word_embeddings: Type.Boolean({ default: true, description: "The head is the embedding" }),
    attention_bias: Type.Optional(Type.Boolean({ description: "Biases of q, k, v and, but for qwen2, o; default: qwen2 yes, others no" })),
    initializer_range: Type.Number({ minimum: 0, default: 0.02, description: "Standard deviation of new matrices" }),
  },
  { additionalProperties: false },
);
export type Architecture = Static<typeof architectureSchema>;

/** A complete architecture: every size and switch has its value. */
export interface TransformerConfig extends Required<Omit<Architecture, "attention_bias">> {
  qkv_bias: boolean;
  output_bias: boolean;
  /** RMS norm of each query and key head before the rotation (Qwen3). */
  qk_norm: boolean;
}

/** Fills in what follows from other fields, and checks that the sizes fit together. */
export function completeConfig(given: Architecture, file?: string): TransformerConfig {
  const { attention_bias, ...architecture } = given;
  const heads = given.num_attention_heads;
  const bias = attention_bias ?? given.model_type === "qwen2";
  const config: TransformerConfig = {
    ...architecture,
    num_key_value_heads: given.num_key_value_heads ?? heads,
    head_dim: given.head_dim ?? given.hidden_size / heads,
    rope_scaling: given.rope_scaling ?? null,
    qkv_bias: bias,
    output_bias: bias && given.model_type !== "qwen2",
    qk_norm: given.model_type === "qwen3",
  };
  const refuse = (path: string, value: unknown, accepted: string) => {
    throw new ConfigError(`${path} does not fit the other sizes`, { file, path, given: value, accepted });
  };
  if (heads % config.num_key_value_heads !== 0) {
    refuse("num_key_value_heads", config.num_key_value_heads, `a divisor of num_attention_heads (${heads})`);
  }
  if (!Number.isInteger(config.head_dim) || config.head_dim % 2 !== 0) {
    refuse("head_dim", config.head_dim, "an even number; without it hidden_size must be an even multiple of num_attention_heads");
  }
  return config;
}

const MODEL_TYPES = ["llama", "qwen2", "qwen3"] as const;

/** Reads the content of a Hugging Face config.json. `ConfigError` names a field whose value this decoder cannot express. */
export function parseConfig(json: Readonly<Record<string, unknown>>, file?: string): TransformerConfig {
  const modelType = MODEL_TYPES.find((type) => type === json.model_type);
  if (modelType === undefined) throw new ConfigError("unknown model_type", { file, given: json.model_type, accepted: MODEL_TYPES });
  const expected: readonly [string, unknown, boolean][] = [
    ["hidden_act", "silu", true],
    ["mlp_bias", false, false],
    ["use_sliding_window", false, false],
  ];
  for (const [field, accepted, required] of expected) {
    const given = json[field] ?? (required ? undefined : accepted);
    if (given !== undefined && given !== accepted)
      throw new ConfigError(`unsupported ${field}`, { file, path: field, given, accepted: String(accepted) });
  }
  const integer = (field: string, fallback?: number): number => {
    const value = json[field] ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
    throw new ConfigError(`${field} is missing or no size`, { file, path: field, given: value, accepted: "a positive integer" });
  };
  const rope = ropeOf(json, file);
  return completeConfig(
    {
      model_type: modelType,
      vocab_size: integer("vocab_size"),
      hidden_size: integer("hidden_size"),
      intermediate_size: integer("intermediate_size"),
      num_hidden_layers: integer("num_hidden_layers"),
      num_attention_heads: integer("num_attention_heads"),
      num_key_value_heads: integer("num_key_value_heads", integer("num_attention_heads")),
      head_dim: json.head_dim === undefined || json.head_dim === null ? undefined : integer("head_dim"),
      max_position_embeddings: integer("max_position_embeddings", 2048),
      rope_theta: rope.theta,
      rope_scaling: rope.scaling,
      rms_norm_eps: Number(json.rms_norm_eps ?? 1e-6),
      tie_word_embeddings: Boolean(json.tie_word_embeddings ?? false),
      attention_bias: typeof json.attention_bias === "boolean" ? json.attention_bias : undefined,
      initializer_range: Number(json.initializer_range ?? 0.02),
    },
    file,
  );
}

/** `rope_theta` and `rope_scaling` of older configs, `rope_parameters` of newer ones. */
function ropeOf(json: Readonly<Record<string, unknown>>, file?: string): { theta: number; scaling: RopeScaling | null } {
  const newer = json.rope_parameters as Record<string, unknown> | null | undefined;
  const scaling = newer ?? (json.rope_scaling as Record<string, unknown> | null | undefined);
  const theta = Number(newer?.rope_theta ?? json.rope_theta ?? 10_000);
  const type = scaling?.rope_type ?? scaling?.type ?? "default";
  if (scaling === null || scaling === undefined || type === "default") return { theta, scaling: null };
  const number = (field: string) => Number(scaling[field]);
  if (type === "linear") return { theta, scaling: { rope_type: "linear", factor: number("factor") } };
  if (type === "llama3") {
    return {
      theta,
      scaling: {
        rope_type: "llama3",
        factor: number("factor"),
        low_freq_factor: number("low_freq_factor"),
        high_freq_factor: number("high_freq_factor"),
        original_max_position_embeddings: number("original_max_position_embeddings"),
      },
    };
  }
  throw new ConfigError("unsupported rope_scaling", {
    file,
    path: "rope_scaling.rope_type",
    given: type,
    accepted: ["default", "linear", "llama3"],
  });
}

const CLASSES = { llama: "LlamaForCausalLM", qwen2: "Qwen2ForCausalLM", qwen3: "Qwen3ForCausalLM" } as const;

/** The content of a Hugging Face config.json that `parseConfig` reads back. */
export function formatConfig(config: TransformerConfig): Record<string, unknown> {
  const { qkv_bias, output_bias: _output, qk_norm: _qkNorm, ...fields } = config;
  return {
    architectures: [CLASSES[config.model_type]],
    ...fields,
    ...(config.model_type === "qwen2" ? {} : { attention_bias: qkv_bias }),
    hidden_act: "silu",
    torch_dtype: "float32",
    use_cache: true,
  };
}
