import type { Message } from "../rollout/index.js";

/** Text to token ids and back. Ids are exact: what was sampled is never tokenised again. */
export interface Tokenizer {
  readonly vocabularySize: number;
  /** Ids that end a response. */
  readonly stopTokens: readonly number[];
  readonly padToken: number;
  encode(text: string): Int32Array;
  /** `skipSpecial` leaves out stop and padding tokens; default true. */
  decode(tokens: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** Renders messages with the model's chat template, ready for the assistant's answer. Absent when the model has none. */
  chat?(messages: readonly Message[]): string;
}
