import { createHash } from "node:crypto";
import type { DataSection } from "../config/schema.js";
import { ConfigError, DataError } from "../errors.js";
import type { Tokenizer } from "../policy/index.js";
import type { Message, Prompt } from "../rollout/index.js";
import { fieldOf, missingField } from "./fields.js";
import { type DataRecord, shorten } from "./source.js";

const ADD_TEMPLATE = "put a chat_template.jinja into the model's folder";

/** How records become prompts: keys of the `data` section. */
export type PromptOptions = Partial<
  Pick<DataSection, "prompt" | "answer" | "answerPattern" | "template" | "system" | "maxPromptTokens" | "overlong">
>;

const DEFAULT_PROMPT = "prompt";
const DEFAULT_ANSWER = "answer";
/** Name of the question in GSM8K's records, and what stands in front of the final answer in its solutions. */
const QUESTION = "question";
const FINAL_ANSWER = "####";

export interface PromptRules extends PromptOptions {
  tokenizer: Tokenizer;
  /** Longest prompt, tokens. */
  maxTokens: number;
  /** A record without answer is an error. */
  answerRequired: boolean;
}

/** Where a record stands, for errors. */
interface Place {
  file?: string;
  path: string;
}

const ROLES: ReadonlySet<unknown> = new Set(["system", "user", "assistant", "tool"]);

/** Turns records into prompts and texts into tokens, all with the same template, tokenizer and length limit. */
export class PromptMaker {
  private readonly answerPattern: RegExp | undefined;

  constructor(private readonly rules: PromptRules) {
    this.answerPattern = rules.answerPattern === undefined ? undefined : answerPatternOf(rules.answerPattern);
    if (rules.system !== undefined && rules.tokenizer.chat === undefined) {
      throw new DataError("a system message needs a model with a chat template", {
        path: "data.system",
        given: rules.system,
        hint: `put the text into data.template instead, or ${ADD_TEMPLATE}`,
      });
    }
  }

  /** null when the prompt is too long and `overlong` is `drop`. */
  fromRecord({ fields, place }: DataRecord, index: number, file: string): Prompt | null {
    const where: Place = { file, path: place };
    const question = this.question(fields, where);
    const golds = this.golds(fields, where);
    const messages = typeof question === "string" ? undefined : this.checked(question, where);
    const text = typeof question === "string" ? this.fill({ ...fields, prompt: question }, where) : messages!.at(-1)!.content;
    const tokens = this.tokenize(messages ?? text, where);
    if (tokens === null) return null;
    const hash = createHash("sha256")
      .update(JSON.stringify([messages ?? text, golds]))
      .digest("hex")
      .slice(0, 12);
    return { id: `${index}-${hash}`, text, tokens, golds, fields };
  }

  /** A prompt of a text alone, without answers; `DataError` when it is too long. */
  fromText(prompt: string, index: number): Prompt {
    const where: Place = { path: `prompt ${index + 1}` };
    const text = this.fill({ prompt }, where);
    const tokens = this.encodeAt(text, where);
    if (tokens.length > this.rules.maxTokens) throw this.tooLong(tokens.length, where);
    return { id: String(index), text, tokens, golds: [], fields: { prompt } };
  }

  /** A prompt like `base` with another text; `DataError` when it is too long, whatever `overlong` says of records. */
  derive(base: Prompt, text: string): Prompt {
    const question = this.questionOf(base.fields);
    const asked = Array.isArray(question) ? [...(question as Message[]).slice(0, -1), { role: "user", content: text } as const] : text;
    const tokens = this.encode(asked);
    if (tokens.length > this.rules.maxTokens) throw this.tooLong(tokens.length, { path: `prompt ${base.id}` });
    return { ...base, text, tokens };
  }

  /** The question alone, without template and system message; of a conversation its last message. */
  questionText({ fields }: Pick<Prompt, "fields">): string {
    const question = this.questionOf(fields);
    return Array.isArray(question) ? (question as Message[]).at(-1)!.content : String(question);
  }

  private encode(asked: string | readonly Message[]): Int32Array {
    const { tokenizer, system } = this.rules;
    if (tokenizer.chat === undefined) return tokenizer.encode(asked as string);
    const messages: readonly Message[] = typeof asked === "string" ? [{ role: "user", content: asked }] : asked;
    const opened =
      system === undefined || messages[0]?.role === "system" ? messages : [{ role: "system", content: system } as const, ...messages];
    return tokenizer.encode(tokenizer.chat(opened), { special: false });
  }

  /** Tokens of the prompt; what the chat template refuses is told with its place. */
  private encodeAt(asked: string | readonly Message[], where: Place): Int32Array {
    try {
      return this.encode(asked);
    } catch (error) {
      if (error instanceof DataError && error.details.path === undefined)
        throw new DataError(error.message, { ...error.details, ...where });
      throw error;
    }
  }

  private tokenize(asked: string | readonly Message[], where: Place): Int32Array | null {
    const { maxTokens, overlong } = this.rules;
    const tokens = this.encodeAt(asked, where);
    if (tokens.length === 0) throw new DataError("the prompt is empty", where);
    if (tokens.length <= maxTokens) return tokens;
    if (overlong === "drop") return null;
    if (overlong === "truncate") return tokens.slice(tokens.length - maxTokens);
    throw this.tooLong(tokens.length, where);
  }

  private tooLong(length: number, where: Place): DataError {
    return new DataError(`the prompt has ${length} tokens, more than the limit of ${this.rules.maxTokens}`, {
      ...where,
      hint: "set data.overlong to drop or truncate, or lower sampling.maxTokens to leave more room",
    });
  }

  private questionOf(fields: DataRecord["fields"]): unknown {
    const name = this.rules.prompt ?? DEFAULT_PROMPT;
    return fieldOf(fields, name) ?? (name === DEFAULT_PROMPT ? fields[QUESTION] : undefined);
  }

  private question(fields: DataRecord["fields"], where: Place): string | readonly unknown[] {
    const name = this.rules.prompt ?? DEFAULT_PROMPT;
    const value = this.questionOf(fields);
    if (typeof value === "string" || Array.isArray(value)) return value;
    if (value !== undefined && value !== null) {
      throw new DataError(`the field "${name}" is no prompt`, {
        ...where,
        given: shorten(JSON.stringify(value)),
        accepted: "a text or a list of messages",
      });
    }
    const { given, hint } = missingField(fields, name);
    throw new DataError(`the record has no prompt in the field "${name}"`, {
      ...where,
      given,
      hint: hint ?? "name the field with data.prompt",
    });
  }

  /** Messages of a conversation that the policy is to answer. */
  private checked(list: readonly unknown[], where: Place): readonly Message[] {
    const name = this.rules.prompt ?? DEFAULT_PROMPT;
    const refuse = (message: string, details: { given?: unknown; accepted?: string; hint?: string } = {}): never => {
      throw new DataError(message, { ...where, ...details });
    };
    list.forEach((item, i) => {
      const { role, content } = (item ?? {}) as Partial<Message>;
      if (ROLES.has(role) && typeof content === "string") return;
      refuse(`${name}[${i}] is no message`, {
        given: shorten(JSON.stringify(item)),
        accepted: "{ role: system | user | assistant | tool, content: text }",
      });
    });
    const messages = list as readonly Message[];
    if (messages.length === 0) refuse("the prompt is empty");
    if (messages.at(-1)!.role === "assistant") {
      refuse("the conversation ends with the assistant's answer: nothing is asked", {
        hint: "leave the last message out of the prompt's field",
      });
    }
    if (this.rules.tokenizer.chat === undefined) {
      refuse("a list of messages needs a model with a chat template", { hint: ADD_TEMPLATE });
    }
    if (this.rules.template !== undefined) refuse("data.template is for prompts that are texts, not messages");
    return messages;
  }

  private golds(fields: DataRecord["fields"], where: Place): string[] {
    const name = this.rules.answer ?? DEFAULT_ANSWER;
    const value = fieldOf(fields, name);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const golds = list.map((item) =>
      typeof item === "number" || typeof item === "boolean" ? String(item) : typeof item === "string" ? this.extract(item) : "",
    );
    if (golds.length > 0 && golds.every((gold) => gold !== "")) return golds;
    if (!this.rules.answerRequired) return golds.filter((gold) => gold !== "");
    if (value === undefined) {
      const { given, hint } = missingField(fields, name);
      throw new DataError(`the record has no answer in the field "${name}"`, {
        ...where,
        given,
        hint: hint ?? "name the field with data.answer",
      });
    }
    const isUnmatched = this.answerPattern !== undefined && list.some((item) => typeof item === "string" && item.trim() !== "");
    throw new DataError(
      isUnmatched ? `data.answerPattern finds no answer in the field "${name}"` : `the record has no answer in the field "${name}"`,
      {
        ...where,
        given: shorten(JSON.stringify(value)),
        accepted: isUnmatched ? String(this.answerPattern) : "a text, a number, or a list of them",
      },
    );
  }

  /** The final answer that a solution text ends with. */
  private extract(text: string): string {
    if (this.answerPattern === undefined) return finalAnswer(text);
    const match = [...text.matchAll(this.answerPattern)].at(-1);
    return (match?.[1] ?? match?.[0] ?? "").trim();
  }

  private fill(fields: DataRecord["fields"], where: Place): string {
    return (this.rules.template ?? "{prompt}").replace(/\{([^{}]+)\}/g, (_, name: string) => {
      const value = fieldOf(fields, name);
      if (typeof value === "string" || typeof value === "number") return String(value);
      const { hint } = missingField(fields, name);
      throw new DataError(`the template inserts "${name}", which the record does not have`, {
        ...where,
        accepted: Object.keys(fields),
        ...(hint === undefined ? {} : { hint }),
      });
    });
  }
}

function answerPatternOf(source: string): RegExp {
  try {
    return new RegExp(source, "gm");
  } catch (cause) {
    throw new ConfigError(`no regular expression: ${(cause as Error).message}`, { path: "data.answerPattern", given: source, cause });
  }
}

/** What follows the last `####`, or the whole text. */
export function finalAnswer(text: string): string {
  const at = text.lastIndexOf(FINAL_ANSWER);
  return (at < 0 ? text : text.slice(at + FINAL_ANSWER.length)).trim();
}
