import type { Message } from "../rollout/index.js";

/** Text to token ids and back. Ids are exact: what was sampled is never tokenised again. */
export interface Tokenizer {
  readonly vocabularySize: number;
  /** Ids that end a response. */
  readonly stopTokens: readonly number[];
  readonly padToken: number;
  /**
   * `special`: with the special tokens that the tokenizer puts around a text (a beginning token); default true. Responses, and
   * what `chat` renders, are encoded without.
   */
  encode(text: string, options?: { special?: boolean }): Int32Array;
  /** `skipSpecial` leaves out stop and padding tokens; default true. */
  decode(tokens: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** Renders messages with the model's chat template, ready for the assistant's answer. Absent when the model has none. */
  chat?(messages: readonly Message[]): string;
}
