import type { Tokenizer } from "./tokenizer.js";

/** Tokens decoded before the one in question: enough for any character that is spread over several tokens. */
const WINDOW = 8;

/** [T + 1] position in the decoded text at which each token begins; the last entry is the text's length. Code units. */
export function tokenOffsets(tokenizer: Pick<Tokenizer, "decode">, tokens: ArrayLike<number>): Int32Array {
  const list = Array.from(tokens);
  const offsets = new Int32Array(list.length + 1);
  for (let t = 0; t < list.length; t++) {
    const start = Math.max(0, t - WINDOW);
    const before = t === start ? 0 : tokenizer.decode(list.slice(start, t)).length;
    offsets[t + 1] = offsets[t]! + Math.max(0, tokenizer.decode(list.slice(start, t + 1)).length - before);
  }
  return offsets;
}
