import { createHash } from "node:crypto";
import type { DataSection } from "../config/schema.js";
import { DataError } from "../errors.js";
import type { Tokenizer } from "../policy/index.js";
import type { Message, Prompt } from "../rollout/index.js";
import type { DataRecord } from "./records.js";

/** How records become prompts: keys of the `data` section. */
export type PromptOptions = Partial<Pick<DataSection, "prompt" | "answer" | "template" | "system" | "maxPromptTokens" | "overlong">>;

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

/** Turns records into prompts and texts into tokens, all with the same template, tokenizer and length limit. */
export class PromptMaker {
  constructor(private readonly rules: PromptRules) {
    if (rules.system !== undefined && rules.tokenizer.chat === undefined) {
      throw new DataError("a system message needs a model with a chat template", {
        path: "data.system",
        given: rules.system,
        hint: "put the text into data.template instead",
      });
    }
  }

  /** null when the prompt is too long and `overlong` is `drop`. */
  fromRecord({ fields, place }: DataRecord, index: number, file: string): Prompt | null {
    const where: Place = { file, path: place };
    const question = this.question(fields, where);
    const golds = this.golds(fields, where);
    const text = this.fill({ ...fields, prompt: question }, where);
    const tokens = this.tokenize(text, where);
    if (tokens === null) return null;
    const hash = createHash("sha256")
      .update(JSON.stringify([text, golds]))
      .digest("hex")
      .slice(0, 12);
    return { id: `${index}-${hash}`, text, tokens, golds, fields };
  }

  /** A prompt of a text alone, without answers; `DataError` when it is too long. */
  fromText(prompt: string, index: number): Prompt {
    const where: Place = { path: `prompt ${index + 1}` };
    const text = this.fill({ prompt }, where);
    const tokens = this.encode(text);
    if (tokens.length > this.rules.maxTokens) throw this.tooLong(tokens.length, where);
    return { id: String(index), text, tokens, golds: [], fields: { prompt } };
  }

  /** A prompt like `base` with another text; `DataError` when it is too long, whatever `overlong` says of records. */
  derive(base: Prompt, text: string): Prompt {
    const tokens = this.encode(text);
    if (tokens.length > this.rules.maxTokens) throw this.tooLong(tokens.length, { path: `prompt ${base.id}` });
    return { ...base, text, tokens };
  }

  private encode(text: string): Int32Array {
    const { tokenizer, system } = this.rules;
    if (tokenizer.chat === undefined) return tokenizer.encode(text);
    const user: Message = { role: "user", content: text };
    const messages = system === undefined ? [user] : [{ role: "system", content: system } as const, user];
    return tokenizer.encode(tokenizer.chat(messages), { special: false });
  }

  private tokenize(text: string, where: Place): Int32Array | null {
    const { maxTokens, overlong } = this.rules;
    const tokens = this.encode(text);
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

  private question(fields: DataRecord["fields"], where: Place): string {
    const name = this.rules.prompt ?? DEFAULT_PROMPT;
    const value = fields[name] ?? (name === DEFAULT_PROMPT ? fields[QUESTION] : undefined);
    if (typeof value === "string") return value;
    throw new DataError(`the record has no prompt in the field "${name}"`, {
      ...where,
      given: `fields ${Object.keys(fields).join(", ") || "(none)"}`,
      hint: "name the field with data.prompt",
    });
  }

  private golds(fields: DataRecord["fields"], where: Place): string[] {
    const name = this.rules.answer ?? DEFAULT_ANSWER;
    const value = fields[name];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const golds = list.map((item) =>
      typeof item === "number" || typeof item === "boolean" ? String(item) : typeof item === "string" ? finalAnswer(item) : "",
    );
    if (golds.length > 0 && golds.every((gold) => gold !== "")) return golds;
    if (!this.rules.answerRequired) return golds.filter((gold) => gold !== "");
    throw new DataError(`the record has no answer in the field "${name}"`, {
      ...where,
      given: value === undefined ? `fields ${Object.keys(fields).join(", ")}` : JSON.stringify(value),
      accepted: "a text, a number, or a list of them",
      ...(value === undefined ? { hint: "name the field with data.answer" } : {}),
    });
  }

  private fill(fields: DataRecord["fields"], where: Place): string {
    return (this.rules.template ?? "{prompt}").replace(/\{([^{}]+)\}/g, (_, name: string) => {
      const value = fields[name];
      if (typeof value === "string" || typeof value === "number") return String(value);
      throw new DataError(`the template inserts "${name}", which the record does not have`, {
        ...where,
        accepted: Object.keys(fields),
      });
    });
  }
}

/** What follows the last `####`, or the whole text. */
export function finalAnswer(text: string): string {
  const at = text.lastIndexOf(FINAL_ANSWER);
  return (at < 0 ? text : text.slice(at + FINAL_ANSWER.length)).trim();
}
