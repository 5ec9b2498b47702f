import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TransformerConfig } from "../src/model/index.js";

/** Characters of the test tokenizer, in the order of their ids, after its special tokens. */
const CHARACTERS = "0123456789+=? ";
const SPECIALS = ["<pad>", "<s>", "</s>"];

/** Writes a tokenizer of single characters: tokenizer.json and tokenizer_config.json. */
export function writeTokenizer(folder: string, { chat = false, begins = false } = {}): void {
  const vocabulary = Object.fromEntries([...SPECIALS, ...CHARACTERS].map((token, id) => [token, id]));
  const added = SPECIALS.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const beginning = { SpecialToken: { id: "<s>", type_id: 0 } };
  const text = { Sequence: { id: "A", type_id: 0 } };
  const model = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "Split", pattern: { Regex: "." }, behavior: "Isolated", invert: false },
    post_processor: begins
      ? {
          type: "TemplateProcessing",
          single: [beginning, text],
          pair: [beginning, text],
          special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
        }
      : null,
    decoder: { type: "Fuse" },
    model: { type: "WordLevel", vocab: vocabulary, unk_token: "?" },
  };
  const template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}={% endif %}";
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: "<s>",
    eos_token: { content: "</s>" },
    pad_token: "<pad>",
    clean_up_tokenization_spaces: false,
    ...(chat ? { chat_template: template } : {}),
  };
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(model));
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(config));
}

export const vocabularySize = SPECIALS.length + CHARACTERS.length;

export const fixtureArchitecture = {
  model_type: "llama" as const,
  vocab_size: vocabularySize + 3,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 32,
} satisfies Partial<TransformerConfig>;
