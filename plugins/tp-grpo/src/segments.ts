import type { Tokenizer } from "@proximal/core";

/** A solution as consecutive texts; the last one is the answer segment. */
export interface SegmentOptions {
  /** Ends a step. */
  stepDelimiter: string;
  /** Ends the thinking part; what follows is the answer segment. */
  thinkEnd: string;
}

/**
 * Thinking steps, each with its delimiter, and the answer segment: what follows `thinkEnd`, or the last step without one.
 * Joined they are the text.
 */
export function segments(text: string, { stepDelimiter, thinkEnd }: SegmentOptions): string[] {
  const cut = text.indexOf(thinkEnd);
  const [thinking, answer] = cut < 0 ? [text, []] : [text.slice(0, cut + thinkEnd.length), [text.slice(cut + thinkEnd.length)]];
  const steps: string[] = [];
  let at = 0;
  while (at < thinking.length) {
    const end = thinking.indexOf(stepDelimiter, at);
    const next = end < 0 ? thinking.length : end + stepDelimiter.length;
    steps.push(thinking.slice(at, next));
    at = next;
  }
  return [...steps, ...(answer.length > 0 || steps.length > 0 ? answer : [""])];
}

/**
 * Tokens of each segment: a token belongs to the segment in which its last character lies. `tokens` decode to the joined texts; the
 * last segment takes what is left, stop tokens included.
 */
export function tokenLengths(texts: readonly string[], tokens: Int32Array, tokenizer: Pick<Tokenizer, "decode">): number[] {
  const lengths: number[] = [];
  let [characters, first] = [0, 0];
  for (const text of texts.slice(0, -1)) {
    characters += text.length;
    const end = tokensWithin(characters, tokens, tokenizer, first);
    lengths.push(end - first);
    first = end;
  }
  return [...lengths, tokens.length - first];
}

/** The largest n for which the first n tokens decode to at most `characters` characters, searched from `low`. */
function tokensWithin(characters: number, tokens: Int32Array, tokenizer: Pick<Tokenizer, "decode">, low: number): number {
  let high = tokens.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (tokenizer.decode(tokens.subarray(0, middle)).length <= characters) low = middle;
    else high = middle - 1;
  }
  return low;
}
