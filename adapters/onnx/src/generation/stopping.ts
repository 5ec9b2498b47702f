import { type DecodeRequest, StopWatcher, type Tokenizer } from "@proximal/core";

/** Tokens that a segment gave each watched row, by the position of its request. */
export type Progress = readonly { index: number; tokens: readonly number[] }[];

/** A row that a stop string ends: it keeps so many tokens of the segment. */
export interface Ending {
  index: number;
  keep: number;
}

/** Looks for the stop strings of each request in its response, segment by segment. */
export class StopStrings {
  private readonly watchers: readonly StopWatcher[];

  constructor(requests: readonly DecodeRequest[], tokenizer: Pick<Tokenizer, "decode">) {
    this.watchers = requests.map(({ stopStrings = [], prefix }) => new StopWatcher(tokenizer, stopStrings, prefix));
  }

  endings(progress: Progress): Ending[] {
    return progress.flatMap(({ index, tokens }) => {
      const at = tokens.findIndex((token) => this.watchers[index]!.push(token));
      return at < 0 ? [] : [{ index, keep: at + 1 }];
    });
  }
}
