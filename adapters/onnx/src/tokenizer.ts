import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { Tokenizer as Encoder } from "@huggingface/tokenizers";
import { CheckpointError, type Message, type Tokenizer } from "@proximal/core";
import { readJson } from "./checkpoint/files.js";

const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"] as const;
/** Further files that belong to a tokenizer and go with an exported checkpoint. */
const COMPANIONS = ["special_tokens_map.json", "generation_config.json", "chat_template.jinja"] as const;

type Json = Readonly<Record<string, unknown>>;

/** Files of the folder's tokenizer. */
export const tokenizerFiles = (folder: string): string[] =>
  [...TOKENIZER_FILES, ...COMPANIONS].map((name) => join(folder, name)).filter((path) => existsSync(path));

const optionalJson = (path: string): Json => (existsSync(path) ? readJson(path) : {});

/** A special token is a string, or an object with its text. */
function textOf(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  const { content } = (token ?? {}) as { content?: unknown };
  return typeof content === "string" ? content : undefined;
}

/** The default template of several; `undefined` when there is none. */
function templateOf(config: Json, folder: string): string | undefined {
  const path = join(folder, "chat_template.jinja");
  if (existsSync(path)) return readFileSync(path, "utf8");
  const { chat_template: given } = config;
  if (typeof given === "string") return given;
  const named = (Array.isArray(given) ? given : []) as { name: string; template: string }[];
  return (named.find(({ name }) => name === "default") ?? named[0])?.template;
}

/** The tokenizer of a Hugging Face folder: tokenizer.json and tokenizer_config.json. */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly stopTokens: readonly number[];
  readonly padToken: number;
  /** Absent when the folder has no chat template. */
  readonly chat?: (messages: readonly Message[]) => string;
  private readonly encoder: Encoder;
  private readonly beginning: string | undefined;

  constructor(folder: string) {
    const [model, config] = TOKENIZER_FILES.map((name) => readJson(join(folder, name))) as [Json, Json];
    try {
      this.encoder = new Encoder(model, config);
    } catch (cause) {
      throw new CheckpointError(`no tokenizer can be made of it: ${(cause as Error).message}`, {
        file: join(folder, TOKENIZER_FILES[0]),
        cause,
      });
    }
    const idOf = (token: unknown) => {
      const text = textOf(token);
      return text === undefined ? undefined : this.encoder.token_to_id(text);
    };
    this.vocabularySize = 1 + Math.max(...this.encoder.get_vocab(true).values());
    this.beginning = textOf(config.bos_token);
    const ends = ["generation_config.json", "config.json"].flatMap((name) => optionalJson(join(folder, name)).eos_token_id ?? []);
    this.stopTokens = [...new Set([idOf(config.eos_token), ...(ends as number[])])].filter((id) => id !== undefined);
    this.padToken = idOf(config.pad_token) ?? this.stopTokens[0] ?? 0;
    const source = templateOf(config, folder);
    if (source !== undefined) this.chat = this.chatWith(source, config, folder);
  }

  private chatWith(source: string, config: Json, folder: string): (messages: readonly Message[]) => string {
    let template: Template;
    try {
      template = new Template(source);
    } catch (cause) {
      throw new CheckpointError(`the chat template cannot be read: ${(cause as Error).message}`, { file: folder, cause });
    }
    const tokens = Object.fromEntries(["bos_token", "eos_token", "pad_token", "unk_token"].map((name) => [name, textOf(config[name])]));
    return (messages) => template.render({ ...tokens, messages, add_generation_prompt: true });
  }

  /** Special tokens of the tokenizer's post-processor are added, unless the text begins with the beginning token already. */
  encode(text: string, { special = true } = {}): Int32Array {
    const begins = this.beginning !== undefined && text.startsWith(this.beginning);
    return Int32Array.from(this.encoder.encode(text, { add_special_tokens: special && !begins }).ids);
  }

  decode(tokens: ArrayLike<number>, { skipSpecial = true } = {}): string {
    if (tokens.length === 0) return "";
    return this.encoder.decode(Array.from(tokens), { skip_special_tokens: skipSpecial });
  }
}
