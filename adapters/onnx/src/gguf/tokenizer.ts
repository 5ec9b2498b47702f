import { CheckpointError } from "@proximal/core";
import type { TokenizerFiles } from "../tokenizer.js";
import type { GgufHeader } from "./header.js";

/** llama.cpp's kinds of tokens: what `tokenizer.ggml.token_type` holds. */
const CONTROL = 3;
const USER_DEFINED = 4;

const LLAMA3_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN2_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const byteLevel = (useRegex: boolean) => ({ type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: useRegex });
const split = (pattern: string) => [{ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false }, byteLevel(false)];

/** How texts are cut before merging, by `tokenizer.ggml.pre`. */
interface Cut {
  pretokenizers: readonly object[];
  normalizer?: object;
  /** A piece that is a token is not merged. */
  ignoreMerges?: boolean;
  /** Texts begin with the beginning token unless the file says otherwise. */
  begins?: boolean;
}
const gpt2: Cut = { pretokenizers: [byteLevel(true)] };
const digits: Cut = { pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)] };
const llama3: Cut = { pretokenizers: split(LLAMA3_SPLIT), ignoreMerges: true, begins: true };
const qwen2: Cut = { pretokenizers: split(QWEN2_SPLIT), normalizer: { type: "NFC" } };
const CUTS: Readonly<Record<string, Cut>> = {
  "gpt-2": gpt2,
  smollm: digits,
  starcoder: digits,
  refact: digits,
  "llama-bpe": llama3,
  llama3,
  "llama-v3": llama3,
  qwen2,
  "deepseek-r1-qwen": qwen2,
};

/** The vocabulary of a file, and its tokens by role. */
interface Vocabulary {
  tokens: readonly string[];
  ids: ReadonlyMap<string, number>;
  beginning?: string;
  unknown?: string;
}

/** The tokenizer that a file's metadata describe, as the files of a Hugging Face folder. */
export function ggufTokenizer({ path, metadata }: GgufHeader): TokenizerFiles {
  const value = <T>(key: string) => metadata[`tokenizer.ggml.${key}`] as T | undefined;
  const unusable = (message: string, details = {}) =>
    new CheckpointError(message, {
      file: path,
      hint: "name a folder with tokenizer.json and tokenizer_config.json as model.tokenizer",
      ...details,
    });
  const tokens = value<string[]>("tokens");
  if (tokens === undefined) throw unusable("the file has no tokenizer");
  const named = (key: string): string | undefined => {
    const id = value<number>(`${key}_token_id`);
    return id === undefined ? undefined : tokens[id];
  };
  const vocabulary: Vocabulary = {
    tokens,
    ids: new Map(tokens.map((token, id) => [token, id])),
    beginning: named("bos"),
    unknown: named("unknown"),
  };
  const model = value<string>("model");
  const pre = value<string>("pre");
  const cut = CUTS[pre ?? "gpt-2"];
  let parts: { body: object; begins: boolean };
  if (model === "llama") {
    const merges = value<string[]>("merges")?.map((merge) => merge.split(" ")) ?? mergesOf(vocabulary, value<number[]>("scores") ?? []);
    parts = { body: sentencePiece(vocabulary, merges, value<boolean>("add_space_prefix") ?? true), begins: true };
  } else if (model !== "gpt2") {
    throw unusable("unsupported kind of tokenizer", { path: "tokenizer.ggml.model", given: model, accepted: ["gpt2", "llama"] });
  } else if (cut === undefined) {
    throw unusable("unknown way of cutting texts", { path: "tokenizer.ggml.pre", given: pre, accepted: Object.keys(CUTS) });
  } else {
    const merges = (value<string[]>("merges") ?? []).map((merge) => merge.split(" "));
    parts = { body: byteLevelPairs(vocabulary, merges, cut), begins: cut.begins ?? false };
  }
  const begins = vocabulary.beginning !== undefined && (value<boolean>("add_bos_token") ?? parts.begins);
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(tokens, value<number[]>("token_type") ?? []),
    ...parts.body,
    post_processor: begins ? beginWith(vocabulary) : null,
  };
  const template = metadata["tokenizer.chat_template"];
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: vocabulary.beginning,
    eos_token: named("eos"),
    unk_token: vocabulary.unknown,
    pad_token: named("padding"),
    add_bos_token: begins,
    clean_up_tokenization_spaces: false,
    ...(typeof template === "string" ? { chat_template: template } : {}),
  };
  const ends = ["eos", "eot", "eom"].map((key) => value<number>(`${key}_token_id`)).filter((id) => id !== undefined);
  const generation = { bos_token_id: value("bos_token_id"), eos_token_id: [...new Set(ends)], pad_token_id: value("padding_token_id") };
  return {
    place: path,
    texts: new Map(
      Object.entries({ "tokenizer.json": tokenizer, "tokenizer_config.json": config, "generation_config.json": generation }).map(
        ([name, json]) => [name, `${JSON.stringify(json, null, 2)}\n`],
      ),
    ),
  };
}

const addedTokens = (tokens: readonly string[], types: readonly number[]) =>
  tokens.flatMap((content, id) => {
    const special = types[id] === CONTROL;
    if (!special && types[id] !== USER_DEFINED) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });

function beginWith({ beginning, ids }: Vocabulary) {
  const token = { SpecialToken: { id: beginning, type_id: 0 } };
  const text = { Sequence: { id: "A", type_id: 0 } };
  const special = { [beginning!]: { id: beginning, ids: [ids.get(beginning!)], tokens: [beginning] } };
  return { type: "TemplateProcessing", single: [token, text], pair: [token, text], special_tokens: special };
}

const pairs = ({ ids, unknown }: Vocabulary, merges: readonly string[][], options: object) => ({
  type: "BPE",
  dropout: null,
  unk_token: unknown ?? null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
  vocab: Object.fromEntries(ids),
  merges,
  ...options,
});

/** Byte-level pair encoding: GPT-2 and its successors. */
const byteLevelPairs = (vocabulary: Vocabulary, merges: readonly string[][], { pretokenizers, normalizer, ignoreMerges = false }: Cut) => ({
  normalizer: normalizer ?? null,
  pre_tokenizer: { type: "Sequence", pretokenizers },
  decoder: byteLevel(true),
  model: pairs(vocabulary, merges, { ignore_merges: ignoreMerges }),
});

const SPACE = "\u2581";

/** SentencePiece's pair encoding, with single bytes for unknown characters: Llama 1 and 2, TinyLlama. */
const sentencePiece = (vocabulary: Vocabulary, merges: readonly string[][], spaceBefore: boolean) => ({
  normalizer: {
    type: "Sequence",
    normalizers: [
      ...(spaceBefore ? [{ type: "Prepend", prepend: SPACE }] : []),
      { type: "Replace", pattern: { String: " " }, content: SPACE },
    ],
  },
  pre_tokenizer: null,
  decoder: {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: SPACE }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      ...(spaceBefore ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
    ],
  },
  model: pairs(vocabulary, merges, { fuse_unk: true, byte_fallback: true }),
});

/** Merges in the order of the score of what they make, best first: every way to make a token of two others. */
function mergesOf({ tokens, ids }: Vocabulary, scores: readonly number[]): string[][] {
  const merges = tokens.flatMap((token, id) => {
    const characters = [...token];
    const ways = characters.slice(1).map((_, i) => [characters.slice(0, i + 1).join(""), characters.slice(i + 1).join("")] as const);
    return ways
      .filter(([left, right]) => ids.has(left) && ids.has(right))
      .map(([left, right]) => ({ left, right, score: scores[id] ?? 0 }))
      .sort((a, b) => ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!);
  });
  const length = (text: string) => [...text].length;
  return merges
    .sort((a, b) => b.score - a.score || length(b.left) - length(a.left) || length(b.right) - length(a.right))
    .map(({ left, right }) => [left, right]);
}
