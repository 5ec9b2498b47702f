import type { Tokenizer } from "./tokenizer.js";

/** What an unfinished character decodes to at the end of a piece. */
const UNFINISHED = /\uFFFD+$/;
/** Characters at the borders of a piece that may differ from those in the whole text: a stripped space, a cut character. */
const BORDER = 8;

/**
 * Watches one response for stop strings. A string counts when a pushed token completes it in the decoded text, however many
 * tokens it spans and also when it began in the given ones. Each token decodes a tail of the text that is just long enough, so
 * that the cost does not grow with the response and the answer does not depend on how tokens are handed over.
 */
export class StopWatcher {
  /** Characters that the tail has to have before a token is added. */
  private readonly needed: number;
  private tail: number[];
  private before: string;

  constructor(
    private readonly tokenizer: Pick<Tokenizer, "decode">,
    private readonly strings: readonly string[],
    given: ArrayLike<number> = [],
  ) {
    this.needed = strings.reduce((longest, { length }) => Math.max(longest, length), 0) + BORDER;
    const all = Array.from(given);
    let count = this.needed;
    while (count < all.length && tokenizer.decode(all.slice(-count)).length < this.needed) count *= 2;
    this.tail = all.slice(-count);
    this.before = this.shortened(tokenizer.decode(this.tail));
  }

  /** Drops tokens from the front as long as enough text stays. Returns it. */
  private shortened(text: string): string {
    let kept = text;
    while (this.tail.length > 0) {
      const next = this.tokenizer.decode(this.tail.slice(1));
      if (next.length < this.needed) break;
      this.tail = this.tail.slice(1);
      kept = next;
    }
    return kept;
  }

  /** Whether this token completes a stop string. */
  push(token: number): boolean {
    this.tail.push(token);
    const old = this.before.replace(UNFINISHED, "").length;
    const text = this.tokenizer.decode(this.tail);
    this.before = this.shortened(text);
    return this.strings.some((stop) => text.indexOf(stop, Math.max(0, old - stop.length + 1)) >= 0);
  }
}

/** Tokens of the response up to the one that completes a stop string; all of them when none is completed. `given` begins it. */
export function lengthToStop(
  tokenizer: Pick<Tokenizer, "decode">,
  strings: readonly string[],
  tokens: ArrayLike<number>,
  given = 0,
): { length: number; stopped: boolean } {
  if (strings.length === 0) return { length: tokens.length, stopped: false };
  const all = Array.from(tokens);
  const watcher = new StopWatcher(tokenizer, strings, all.slice(0, given));
  const at = all.findIndex((token, t) => t >= given && watcher.push(token));
  return at < 0 ? { length: all.length, stopped: false } : { length: at + 1, stopped: true };
}
