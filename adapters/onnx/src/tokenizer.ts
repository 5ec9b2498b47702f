import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { Tokenizer as Encoder } from "@huggingface/tokenizers";
import { CheckpointError, DataError, type Message, type Tokenizer } from "@proximal/core";
import { CONFIG_FILE, parseJson } from "./checkpoint/files.js";

const TOKENIZER_FILE = "tokenizer.json";
const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";
const GENERATION_FILE = "generation_config.json";
const TEMPLATE_FILE = "chat_template.jinja";
/** Files that may say how texts are tokenised, rendered and ended. The model's own config is read for stop tokens alone. */
const FILES = [
  TOKENIZER_FILE,
  TOKENIZER_CONFIG_FILE,
  "special_tokens_map.json",
  "generation_config.json",
  TEMPLATE_FILE,
  CONFIG_FILE,
] as const;

type Json = Readonly<Record<string, unknown>>;

/** The files that make a tokenizer, by name, and the folder or file that they come from. */
export interface TokenizerFiles {
  place: string;
  texts: ReadonlyMap<string, string>;
}

/** A tokenizer's files in a Hugging Face folder. */
export function readTokenizerFiles(folder: string): TokenizerFiles {
  const present = FILES.filter((name) => existsSync(join(folder, name)));
  return { place: folder, texts: new Map(present.map((name) => [name, readFileSync(join(folder, name), "utf8")])) };
}

/** Fields of config.json and generation_config.json that name special tokens. */
export function specialTokens({ stopTokens, padToken }: Tokenizer, { place, texts }: TokenizerFiles): Record<string, unknown> {
  const beginning = [GENERATION_FILE, CONFIG_FILE]
    .map((name) => texts.get(name))
    .filter((text) => text !== undefined)
    .map((text) => parseJson(text, place).bos_token_id)
    .find((id) => id !== undefined);
  return {
    ...(beginning === undefined ? {} : { bos_token_id: beginning }),
    ...(stopTokens.length === 0 ? {} : { eos_token_id: stopTokens.length === 1 ? stopTokens[0] : stopTokens }),
    pad_token_id: padToken,
  };
}

/** Writes a tokenizer's files into a folder with a model, and how generation ends where no file says it. */
export function writeTokenizerFiles(folder: string, { texts }: TokenizerFiles, tokens: Readonly<Record<string, unknown>>): void {
  for (const [name, text] of texts) if (name !== CONFIG_FILE) writeFileSync(join(folder, name), text);
  if (!texts.has(GENERATION_FILE)) writeFileSync(join(folder, GENERATION_FILE), `${JSON.stringify(tokens, null, 2)}\n`);
}

/** A special token is a string, or an object with its text. */
function textOf(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  const { content } = (token ?? {}) as { content?: unknown };
  return typeof content === "string" ? content : undefined;
}

const TODAY: Readonly<Record<string, string>> = {
  Y: "2024",
  m: "07",
  B: "July",
  b: "Jul",
  d: "26",
  A: "Friday",
  a: "Fri",
  H: "00",
  M: "00",
  S: "00",
  "%": "%",
};

/**
 * Today's date for chat templates that write it, in a format of C's strftime: always the day that Llama's templates take where
 * they are told none, so that a run's prompts are the same on every day.
 */
const fixedDay = (format: string): string => format.replace(/%([\w%])/g, (whole, letter: string) => TODAY[letter] ?? whole);

/** Fields of generation_config.json with what they are off at. */
const SAMPLING_OFF: Readonly<Record<string, number>> = { temperature: 1, top_p: 1, top_k: 0, min_p: 0, repetition_penalty: 1 };

/** How the model's makers sample from it, in words: "temperature 0.7, top_p 0.8"; `undefined` where generation_config.json says nothing. */
export function suggestedSampling({ place, texts }: TokenizerFiles): string | undefined {
  const text = texts.get(GENERATION_FILE);
  const given = text === undefined ? {} : parseJson(text, place);
  if (given.do_sample !== true) return undefined;
  const set = Object.entries(SAMPLING_OFF).filter(([name, off]) => typeof given[name] === "number" && given[name] !== off);
  return set.length === 0 ? undefined : set.map(([name]) => `${name} ${given[name] as number}`).join(", ");
}

/** The default template of several; `undefined` when there is none. */
function templateOf(config: Json, { texts }: TokenizerFiles): string | undefined {
  const file = texts.get(TEMPLATE_FILE);
  if (file !== undefined) return file;
  const { chat_template: given } = config;
  if (typeof given === "string") return given;
  const named = (Array.isArray(given) ? given : []) as { name: string; template: string }[];
  return (named.find(({ name }) => name === "default") ?? named[0])?.template;
}

/** The tokenizer of a Hugging Face folder: tokenizer.json and tokenizer_config.json, given by the folder or by their content. */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly files: TokenizerFiles;
  readonly vocabularySize: number;
  readonly stopTokens: readonly number[];
  readonly padToken: number;
  /** Absent when the folder has no chat template. */
  readonly chat?: (messages: readonly Message[]) => string;
  private readonly encoder: Encoder;
  private readonly beginning: string | undefined;

  /** `variables` of the chat template, e.g. `{ enable_thinking: false }`. */
  constructor(source: string | TokenizerFiles, variables: Json = {}) {
    this.files = typeof source === "string" ? readTokenizerFiles(source) : source;
    const [model, given] = [this.json(TOKENIZER_FILE), this.json(TOKENIZER_CONFIG_FILE)];
    const config = { ...this.json("special_tokens_map.json", {}), ...given };
    try {
      this.encoder = new Encoder(model, config);
    } catch (cause) {
      throw new CheckpointError(`no tokenizer can be made of it: ${(cause as Error).message}`, {
        file: this.fileOf(TOKENIZER_FILE),
        cause,
      });
    }
    /** Id of a token that the config names; `undefined` when it names none. */
    const idOf = (role: "eos_token" | "pad_token") => {
      const text = textOf(config[role]);
      if (text === undefined) return undefined;
      const id = this.encoder.token_to_id(text);
      if (id !== undefined) return id;
      throw new CheckpointError(`${role} is no token of the vocabulary`, {
        file: this.fileOf(TOKENIZER_CONFIG_FILE),
        path: role,
        given: text,
        hint: `name a token of ${TOKENIZER_FILE}, or take both files from the same model`,
      });
    };
    this.vocabularySize = 1 + Math.max(...this.encoder.get_vocab(true).values());
    this.beginning = textOf(config.bos_token);
    const ends = [GENERATION_FILE, CONFIG_FILE].flatMap((name) => this.json(name, {}).eos_token_id ?? []);
    this.stopTokens = [...new Set([idOf("eos_token"), ...(ends as number[])])].filter((id) => id !== undefined);
    this.padToken = idOf("pad_token") ?? this.stopTokens[0] ?? 0;
    const template = templateOf(config, this.files);
    if (template !== undefined) this.chat = this.chatWith(template, config, variables);
  }

  private fileOf(name: string): string {
    return join(this.files.place, name);
  }

  private json(name: string, missing?: Json): Json {
    const text = this.files.texts.get(name);
    if (text !== undefined) return parseJson(text, this.fileOf(name));
    if (missing !== undefined) return missing;
    throw new CheckpointError("a tokenizer needs this file, which is not there", {
      file: this.fileOf(name),
      hint: "download it from where the model is from, or name a folder that has it as model.tokenizer",
    });
  }

  private chatWith(source: string, config: Json, variables: Json): (messages: readonly Message[]) => string {
    let template: Template;
    const file = this.files.texts.has(TEMPLATE_FILE) ? this.fileOf(TEMPLATE_FILE) : this.fileOf(TOKENIZER_CONFIG_FILE);
    try {
      // The library's own function knows today's date; a variable cannot take its name, an assignment can.
      template = new Template(`{% set strftime_now = fixed_day %}\n${source}`);
    } catch (cause) {
      throw new CheckpointError(`the chat template cannot be read: ${(cause as Error).message}`, {
        file,
        cause,
        hint: `put a Jinja template into ${TEMPLATE_FILE}`,
      });
    }
    const tokens = Object.fromEntries(["bos_token", "eos_token", "pad_token", "unk_token"].map((name) => [name, textOf(config[name])]));
    return (messages) => {
      try {
        return template.render({ fixed_day: fixedDay, ...tokens, ...variables, messages, add_generation_prompt: true });
      } catch (cause) {
        throw new DataError(`the model's chat template refuses the messages: ${(cause as Error).message}`, {
          given: messages.map(({ role }) => role).join(", "),
          hint: `the template stands in ${file}`,
          cause,
        });
      }
    };
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
