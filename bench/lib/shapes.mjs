// The models and the work that every benchmark means by a shape's name. All tied, float32.
const shape = (hidden, layers, heads, groups, ffn, vocabulary, prompts, group) => ({
  architecture: {
    model_type: "llama",
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: groups,
    intermediate_size: ffn,
    vocab_size: vocabulary,
    max_position_embeddings: 2048,
    rope_theta: 10000,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  },
  prompts,
  group,
});

export const SHAPES = {
  tiny: shape(128, 4, 4, 4, 384, 64, 8, 8),
  small: shape(384, 6, 6, 6, 1024, 4096, 8, 8),
  smollm2: shape(576, 30, 9, 3, 1536, 49152, 4, 4),
};

export const PROMPT_TOKENS = 22;
export const NEW_TOKENS = 32;

/** Floating-point operations of one training step: prompts once, response tokens of every row, no padding; forward and backward. */
export function trainingFlops({ architecture: a, prompts, group }, promptTokens = PROMPT_TOKENS, newTokens = NEW_TOKENS) {
  const headSize = a.head_dim ?? a.hidden_size / a.num_attention_heads;
  const width = headSize * a.num_attention_heads;
  const narrow = headSize * a.num_key_value_heads;
  const block = a.hidden_size * (2 * width + 2 * narrow + 3 * a.intermediate_size);
  const rows = prompts * group;
  const tokens = prompts * promptTokens + rows * newTokens;
  const attention = prompts * promptTokens * promptTokens + rows * newTokens * (promptTokens + newTokens);
  const forward = a.num_hidden_layers * (2 * block * tokens + 4 * width * attention) + 2 * a.hidden_size * a.vocab_size * rows * newTokens;
  return 3 * forward;
}
