import { DataError } from "../errors.js";
import type { Message } from "../rollout/index.js";
import type { Tokenizer } from "./tokenizer.js";

/** One token a character of `alphabet`; id 0 ends a response, id 1 pads and, with `beginning`, stands in front of a text. */
export class CharTokenizer implements Tokenizer {
  readonly stopTokens = [0];
  readonly padToken = 1;
  readonly chat?: (messages: readonly Message[]) => string;

  private readonly front: readonly number[];

  constructor(
    private readonly alphabet = "0123456789+=-?, abcdefghijklmnopqrstuvwxyz",
    { chat = false, beginning = false }: { chat?: boolean; beginning?: boolean } = {},
  ) {
    this.front = beginning ? [1] : [];
    if (chat) this.chat = (messages) => `${messages.map(({ role, content }) => `${role}=${content}`).join(" ")} assistant=`;
  }

  get vocabularySize(): number {
    return this.alphabet.length + 2;
  }

  encode(text: string, { special = true } = {}): Int32Array {
    const ids = Array.from(text, (char) => {
      const at = this.alphabet.indexOf(char);
      if (at < 0) throw new DataError(`the tokenizer does not know the character "${char}"`);
      return at + 2;
    });
    return Int32Array.from([...(special ? this.front : []), ...ids]);
  }

  decode(tokens: ArrayLike<number>): string {
    return Array.from(tokens, (id) => this.alphabet[id - 2] ?? "").join("");
  }
}
