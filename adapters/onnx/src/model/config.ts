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
  Type.Object({
    rope_type: Type.Literal("yarn"),
    factor: Type.Number({ exclusiveMinimum: 0 }),
    original_max_position_embeddings: Type.Integer({ minimum: 1 }),
    attention_factor: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    beta_fast: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    beta_slow: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    mscale: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    mscale_all_dim: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    truncate: Type.Optional(Type.Boolean()),
  }),
]);
export type RopeScaling = Static<typeof ropeScaling>;

const size = (description: string) => Type.Integer({ minimum: 1, description });

const MODEL_TYPES = ["llama", "qwen2", "qwen3", "gpt2"] as const;

/**
 * A decoder with rotary positions, RMS norms, grouped-query attention and SwiGLU: Llama, SmolLM2, Qwen2 and Qwen3 are
 * settings of it. GPT-2 has learned positions, layer norms with biases, and one GELU layer in place of the gated one.
 * Names are those of Hugging Face's config.json of Llama.
 */
export const architectureSchema = Type.Object(
  {
    model_type: Type.Union([Type.Literal("llama"), Type.Literal("qwen2"), Type.Literal("qwen3"), Type.Literal("gpt2")], {
      default: "llama",
    }),
    vocab_size: size("Rows of the embedding"),
    hidden_size: size("Width of the residual stream"),
    intermediate_size: size("Width of the layer inside a block"),
    num_hidden_layers: size("Blocks"),
    num_attention_heads: size("Query heads"),
    num_key_value_heads: Type.Optional(size("Key/value heads, a divisor of the query heads; default as many")),
    head_dim: Type.Optional(Type.Integer({ minimum: 2, multipleOf: 2, description: "Default hidden_size / num_attention_heads" })),
    max_position_embeddings: Type.Integer({ minimum: 2, default: 2048, description: "Prompt and response together, tokens" }),
    rope_theta: Type.Number({ exclusiveMinimum: 0, default: 10_000 }),
    rope_scaling: Type.Optional(Type.Union([ropeScaling, Type.Null()])),
    rms_norm_eps: Type.Number({
      exclusiveMinimum: 0,
      default: 1e-6,
      description: "Added to the mean square, or GPT-2's variance, of a norm",
    }),
    tie_word_embeddings: Type.Boolean({ default: true, description: "The head is the embedding" }),
    attention_bias: Type.Optional(Type.Boolean({ description: "Biases of q, k, v and, but for qwen2, o; default: qwen2 yes, others no" })),
    mlp_bias: Type.Optional(Type.Boolean({ description: "Biases of the layers inside a block, of llama; default no" })),
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
  /** A vector for each position is added to the embedding; nothing is rotated (GPT-2). */
  learned_positions: boolean;
}

/** Fills in what follows from other fields, and checks that the sizes fit together. */
export function completeConfig(given: Architecture, file?: string): TransformerConfig {
  const { attention_bias, ...architecture } = given;
  const heads = given.num_attention_heads;
  const isGpt2 = given.model_type === "gpt2";
  const bias = attention_bias ?? (given.model_type === "qwen2" || isGpt2);
  const config: TransformerConfig = {
    ...architecture,
    num_key_value_heads: given.num_key_value_heads ?? heads,
    head_dim: given.head_dim ?? given.hidden_size / heads,
    rope_scaling: given.rope_scaling ?? null,
    mlp_bias: given.mlp_bias ?? false,
    qkv_bias: bias,
    output_bias: bias && given.model_type !== "qwen2",
    qk_norm: given.model_type === "qwen3",
    learned_positions: isGpt2,
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
  if (isGpt2 && (config.num_key_value_heads !== heads || config.head_dim * heads !== given.hidden_size || !bias)) {
    refuse("model_type", "gpt2", "as many key/value heads as heads, of hidden_size / num_attention_heads, with biases");
  }
  if (config.mlp_bias && given.model_type !== "llama") refuse("mlp_bias", true, `llama; ${given.model_type} has none to set`);
  return config;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads fields of a config, and refuses what this decoder cannot express. */
class Fields {
  constructor(
    private readonly json: Json,
    private readonly file?: string,
    private readonly prefix = "",
  ) {}

  integer(field: string, fallback?: number): number {
    const value = this.json[field] ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
    throw this.refused(field, "is missing or no size", "a positive integer");
  }

  number(field: string, fallback?: number): number {
    const value = this.json[field] ?? fallback;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.refused(field, "is missing or no number", "a number");
  }

  /** `undefined` when it is not there. */
  optional(field: string): number | undefined {
    return this.json[field] === undefined || this.json[field] === null ? undefined : this.number(field);
  }

  /** The field is absent or has this value. */
  require(field: string, accepted: unknown): void {
    const given = this.json[field] ?? accepted;
    if (given !== accepted) throw this.refused(field, "has a value that this engine does not compute", String(accepted));
  }

  private refused(field: string, what: string, accepted: string): ConfigError {
    const path = `${this.prefix}${field}`;
    return new ConfigError(`${path} ${what}`, { file: this.file, path, given: this.json[field], accepted });
  }
}

/** Reads the content of a Hugging Face config.json. `ConfigError` names a field whose value this decoder cannot express. */
export function parseConfig(json: Json, file?: string): TransformerConfig {
  const modelType = MODEL_TYPES.find((type) => type === json.model_type);
  if (modelType === undefined) {
    throw new ConfigError("unsupported architecture", { file, path: "model_type", given: json.model_type, accepted: MODEL_TYPES });
  }
  if (json.quantization_config !== undefined && json.quantization_config !== null) {
    const method = (json.quantization_config as Json).quant_method ?? "unknown";
    throw new ConfigError("quantised parameters are not read from safetensors", {
      file,
      path: "quantization_config",
      given: method,
      accepted: "float32, float16 and bfloat16",
      hint: "take the model without quantisation, or a GGUF file of it",
    });
  }
  const fields = new Fields(json, file);
  return modelType === "gpt2" ? parseGpt2(json, fields, file) : parseLlama(modelType, json, fields, file);
}

function parseLlama(modelType: "llama" | "qwen2" | "qwen3", json: Json, fields: Fields, file?: string): TransformerConfig {
  fields.require("hidden_act", "silu");
  if (modelType !== "llama") fields.require("mlp_bias", false);
  refuseWindows(json, fields, file);
  const rope = ropeOf(json, file);
  return completeConfig(
    {
      model_type: modelType,
      vocab_size: fields.integer("vocab_size"),
      hidden_size: fields.integer("hidden_size"),
      intermediate_size: fields.integer("intermediate_size"),
      num_hidden_layers: fields.integer("num_hidden_layers"),
      num_attention_heads: fields.integer("num_attention_heads"),
      num_key_value_heads: fields.integer("num_key_value_heads", fields.integer("num_attention_heads")),
      head_dim: json.head_dim === undefined || json.head_dim === null ? undefined : fields.integer("head_dim"),
      max_position_embeddings: fields.integer("max_position_embeddings", 2048),
      rope_theta: rope.theta,
      rope_scaling: rope.scaling,
      rms_norm_eps: fields.number("rms_norm_eps", 1e-6),
      tie_word_embeddings: Boolean(json.tie_word_embeddings ?? false),
      attention_bias: typeof json.attention_bias === "boolean" ? json.attention_bias : undefined,
      mlp_bias: modelType === "llama" && json.mlp_bias === true,
      initializer_range: fields.number("initializer_range", 0.02),
    },
    file,
  );
}

/** Attention to the nearest tokens alone is refused where it would leave out any: in some layer, within the positions that there are. */
function refuseWindows(json: Json, fields: Fields, file?: string): void {
  if (json.use_sliding_window !== true || json.sliding_window === null) return;
  const [window, positions] = [fields.integer("sliding_window", 4096), fields.integer("max_position_embeddings", 2048)];
  const layers = fields.integer("num_hidden_layers");
  const types = Array.isArray(json.layer_types) ? (json.layer_types as unknown[]) : undefined;
  const windowed = types?.filter((type) => type !== "full_attention").length ?? Math.max(0, layers - Number(json.max_window_layers ?? 28));
  if (windowed === 0 || window >= positions) return;
  throw new ConfigError("sliding windows are not computed", {
    file,
    path: "use_sliding_window",
    given: `a window of ${window} tokens in ${windowed} of ${layers} layers`,
    accepted: "attention to all tokens",
    hint: `for prompts and responses of together at most ${window} tokens it is the same model with max_position_embeddings: ${window}`,
  });
}

function parseGpt2(json: Json, fields: Fields, file?: string): TransformerConfig {
  fields.require("activation_function", "gelu_new");
  fields.require("scale_attn_weights", true);
  fields.require("scale_attn_by_inverse_layer_idx", false);
  fields.require("add_cross_attention", false);
  const width = fields.integer("n_embd");
  return completeConfig(
    {
      model_type: "gpt2",
      vocab_size: fields.integer("vocab_size"),
      hidden_size: width,
      intermediate_size: fields.integer("n_inner", 4 * width),
      num_hidden_layers: fields.integer("n_layer"),
      num_attention_heads: fields.integer("n_head"),
      max_position_embeddings: fields.integer("n_positions", 1024),
      rope_theta: 10_000,
      rms_norm_eps: fields.number("layer_norm_epsilon", 1e-5),
      tie_word_embeddings: Boolean(json.tie_word_embeddings ?? true),
      initializer_range: fields.number("initializer_range", 0.02),
    },
    file,
  );
}

/** `rope_theta` and `rope_scaling` of older configs, `rope_parameters` of newer ones. */
function ropeOf(json: Json, file?: string): { theta: number; scaling: RopeScaling | null } {
  const newer = json.rope_parameters as Json | null | undefined;
  const scaling = newer ?? (json.rope_scaling as Json | null | undefined);
  const theta = Number(newer?.rope_theta ?? json.rope_theta ?? 10_000);
  const type = scaling?.rope_type ?? scaling?.type ?? "default";
  if (scaling === null || scaling === undefined || type === "default") return { theta, scaling: null };
  const fields = new Fields(scaling, file, newer ? "rope_parameters." : "rope_scaling.");
  const context = (): number => fields.integer("original_max_position_embeddings", json.max_position_embeddings as number | undefined);
  switch (type) {
    case "linear":
      return { theta, scaling: { rope_type: "linear", factor: fields.number("factor") } };
    case "llama3":
      return {
        theta,
        scaling: {
          rope_type: "llama3",
          factor: fields.number("factor"),
          low_freq_factor: fields.number("low_freq_factor"),
          high_freq_factor: fields.number("high_freq_factor"),
          original_max_position_embeddings: context(),
        },
      };
    case "yarn": {
      const optional = ["attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim"] as const;
      const given = optional.map((field) => [field, fields.optional(field)] as const).filter(([, value]) => value !== undefined);
      return {
        theta,
        scaling: {
          rope_type: "yarn",
          factor: fields.number("factor"),
          original_max_position_embeddings: context(),
          ...Object.fromEntries(given),
          ...(typeof scaling.truncate === "boolean" ? { truncate: scaling.truncate } : {}),
        },
      };
    }
    default:
      throw new ConfigError("unsupported scaling of positions", {
        file,
        path: "rope_scaling.rope_type",
        given: type,
        accepted: ["default", "linear", "llama3", "yarn"],
      });
  }
}

const CLASSES = { llama: "LlamaForCausalLM", qwen2: "Qwen2ForCausalLM", qwen3: "Qwen3ForCausalLM", gpt2: "GPT2LMHeadModel" } as const;

/** The content of a Hugging Face config.json that `parseConfig` reads back. */
export function formatConfig(config: TransformerConfig): Record<string, unknown> {
  const { qkv_bias, output_bias: _output, qk_norm: _qkNorm, learned_positions: _learned, ...fields } = config;
  const common = { architectures: [CLASSES[config.model_type]], torch_dtype: "float32", use_cache: true };
  if (config.model_type === "gpt2") {
    return {
      ...common,
      model_type: "gpt2",
      vocab_size: config.vocab_size,
      n_embd: config.hidden_size,
      n_inner: config.intermediate_size,
      n_layer: config.num_hidden_layers,
      n_head: config.num_attention_heads,
      n_positions: config.max_position_embeddings,
      layer_norm_epsilon: config.rms_norm_eps,
      activation_function: "gelu_new",
      tie_word_embeddings: config.tie_word_embeddings,
      initializer_range: config.initializer_range,
    };
  }
  const { mlp_bias, ...others } = fields;
  return {
    ...common,
    ...others,
    ...(config.model_type === "qwen2" ? {} : { attention_bias: qkv_bias }),
    ...(config.model_type === "llama" ? { mlp_bias } : {}),
    hidden_act: "silu",
  };
}
