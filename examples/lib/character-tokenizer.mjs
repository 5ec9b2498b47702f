import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SPECIAL = ["<eos>", "<pad>"];
const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** Writes a tokenizer with one token a character into a folder; `<eos>` is 0, `<pad>` is 1. */
export function writeTokenizer(folder, characters) {
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries([...SPECIAL, ...characters].map((text, id) => [text, id])),
      merges: [],
    },
  };
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: "<eos>",
    pad_token: "<pad>",
    clean_up_tokenization_spaces: false,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "tokenizer.json"), `${JSON.stringify(tokenizer, null, 2)}\n`);
  writeFileSync(join(folder, "tokenizer_config.json"), `${JSON.stringify(settings, null, 2)}\n`);
}
