import { type Random, type Tokenizer, tokenOffsets } from "@proximal/core";

/** Tokens of the thought: those that end before the end tag begins, or all (without the stop token) when it never comes. */
export function thoughtLength(tokenizer: Tokenizer, tokens: ArrayLike<number>, endOfThought: string): number {
  const stopped = tokenizer.stopTokens.includes(tokens[tokens.length - 1] ?? -1);
  const whole = tokens.length - (stopped ? 1 : 0);
  const at = tokenizer.decode(tokens).indexOf(endOfThought);
  if (at < 0) return whole;
  const ends = tokenOffsets(tokenizer, tokens).subarray(1);
  const after = ends.findIndex((end) => end > at);
  return after < 0 ? whole : after;
}

/** min(m, n) distinct positions out of 1 … n, ascending. */
export const exitPositions = (n: number, exits: number, random: Random): number[] =>
  [...random.permutation(n).subarray(0, exits)].map((i) => i + 1).sort((a, b) => a - b);
