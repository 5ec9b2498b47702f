import { ConfigError, elementCount, Random } from "@proximal/core";
import { expect } from "chai";
import {
  completeConfig,
  formatConfig,
  initialValues,
  parameterTable,
  parseConfig,
  ropeFrequencies,
  ropeMagnitude,
} from "../../src/model/index.js";

const smollm = {
  model_type: "llama",
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 8192,
  rope_theta: 100000,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  hidden_act: "silu",
};
const qwen2 = {
  ...smollm,
  model_type: "qwen2",
  vocab_size: 151936,
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
};
const qwen3 = {
  ...qwen2,
  model_type: "qwen3",
  hidden_size: 1024,
  intermediate_size: 3072,
  num_hidden_layers: 28,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
};

const gpt2 = { model_type: "gpt2", vocab_size: 50257, n_embd: 768, n_layer: 12, n_head: 12, n_positions: 1024 };

describe("transformer configuration", () => {
  for (const [name, json, parameters] of [
    ["SmolLM2-135M", smollm, 134_515_008],
    ["Qwen2.5-0.5B", qwen2, 494_032_768],
    ["Qwen3-0.6B", qwen3, 596_049_920],
    ["GPT-2", gpt2, 124_439_808],
  ] as const) {
    it(`${name} has ${parameters} parameters`, () => {
      const total = parameterTable(parseConfig(json)).reduce((n, spec) => n + elementCount(spec.shape), 0);
      expect(total).to.equal(parameters);
    });
    it(`${name}'s config.json reads back what was written`, () => {
      const config = parseConfig(json);
      expect(parseConfig(formatConfig(config))).to.deep.equal(config);
    });
  }

  for (const [what, change, path] of [
    ["a different activation", { hidden_act: "gelu" }, "hidden_act"],
    ["a sliding window", { use_sliding_window: true, sliding_window: 4096, max_window_layers: 28 }, "use_sliding_window"],
    [
      "a sliding window of some layers",
      { use_sliding_window: true, sliding_window: 4096, layer_types: ["full_attention", "sliding_attention"] },
      "use_sliding_window",
    ],
    ["biases inside a block but for llama's", { model_type: "qwen3", mlp_bias: true }, "mlp_bias"],
    ["another position scaling", { rope_scaling: { rope_type: "longrope", factor: 4 } }, "rope_scaling.rope_type"],
    ["a position scaling without its factor", { rope_scaling: { type: "yarn" } }, "rope_scaling.factor"],
    ["quantised parameters", { quantization_config: { quant_method: "gptq" } }, "quantization_config"],
    ["an unknown architecture", { model_type: "mamba" }, "model_type"],
    ["another activation of GPT-2", { ...gpt2, activation_function: "relu" }, "activation_function"],
    ["key heads that do not divide the query heads", { num_key_value_heads: 4 }, "num_key_value_heads"],
    ["a missing width", { hidden_size: undefined }, "hidden_size"],
  ] as const) {
    it(`refuses ${what} and names the field`, () => {
      expect(() => parseConfig({ ...smollm, ...change }, "config.json"))
        .to.throw(ConfigError)
        .with.nested.property("details.path", path);
    });
  }

  for (const [what, change] of [
    ["that is switched off", { use_sliding_window: false, sliding_window: 4096, max_window_layers: 0 }],
    ["as long as the context", { use_sliding_window: true, sliding_window: 8192, max_window_layers: 0 }],
    ["that begins behind the last layer", { use_sliding_window: true, sliding_window: 4096, max_window_layers: 30 }],
    ["of no layer", { use_sliding_window: true, sliding_window: 4096, layer_types: Array(30).fill("full_attention") }],
  ] as const) {
    it(`takes a sliding window ${what} for none`, () => {
      expect(parseConfig({ ...smollm, model_type: "qwen2", ...change })).to.deep.equal(parseConfig({ ...smollm, model_type: "qwen2" }));
    });
  }

  it("reads the layouts of old and new transformers alike", () => {
    const { rope_theta, ...rest } = smollm;
    const old = { ...smollm, torch_dtype: "bfloat16", rope_scaling: { type: "linear", factor: 2 } };
    const now = { ...rest, dtype: "bfloat16", rope_parameters: { rope_theta, rope_type: "linear", factor: 2 } };
    expect(parseConfig(now)).to.deep.equal(parseConfig(old));
  });

  it("scales the low frequencies alone under llama3 scaling", () => {
    const scaling = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
    const plain = ropeFrequencies(parseConfig({ ...smollm, head_dim: 64 }));
    const scaled = ropeFrequencies(parseConfig({ ...smollm, head_dim: 64, rope_scaling: scaling }));
    expect(scaled[0]).to.equal(plain[0]);
    expect(scaled.at(-1)).to.be.closeTo(plain.at(-1)! / 8, 1e-15);
  });

  it("stretches rotations under yarn by the attention factor", () => {
    const yarn = (fields: object) =>
      ropeMagnitude(
        parseConfig({ ...smollm, rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 2048, ...fields } }),
      );
    expect(yarn({})).to.be.closeTo(1 + 0.1 * Math.log(4), 1e-12);
    expect(yarn({ mscale: 2, mscale_all_dim: 1 })).to.be.closeTo((1 + 0.2 * Math.log(4)) / (1 + 0.1 * Math.log(4)), 1e-12);
    expect(yarn({ attention_factor: 1.25 })).to.equal(1.25);
    expect(ropeMagnitude(parseConfig(smollm))).to.equal(1);
  });

  it("draws each new parameter from a stream of its own name", () => {
    const architecture = { ...smollm, model_type: "llama" as const, vocab_size: 50, num_hidden_layers: 1, initializer_range: 0.02 };
    const { hidden_act: _, ...given } = architecture;
    const config = completeConfig(given);
    const [embedding] = parameterTable(config);
    const [a, b] = [7, 7].map((seed) => initialValues(embedding!, config, new Random(seed)));
    expect(a).to.deep.equal(b);
    expect(Math.sqrt(a!.reduce((sum, x) => sum + x * x, 0) / a!.length)).to.be.closeTo(0.02, 0.0005);
  });
});
