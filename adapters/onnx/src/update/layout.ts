import { DataError, type FeedValue, type ScoreRow } from "@proximal/core";
import { type Grid, type RowInputs, rowFeedName, rowShapes } from "./grid.js";

/** Sizes are rounded up to a quarter of an octave, so that few graphs serve many batches: …, 8, 10, 12, 14, 16, 20, … */
export function bucket(size: number): number {
  if (size <= 8) return Math.max(1, size);
  const step = 2 ** (Math.floor(Math.log2(size - 1)) - 2);
  return Math.ceil(size / step) * step;
}

/** Rows that share one computation of their prompt. */
interface PromptEntry {
  prompt: Int32Array;
  /** Indices into the rows. */
  rows: number[];
}

const keyOf = (tokens: Int32Array): string => tokens.join();

/** Entries of at most `rowsPerPrompt` rows, prompts in order of first appearance. */
function entriesOf(rows: readonly ScoreRow[], rowsPerPrompt: number): PromptEntry[] {
  const open = new Map<string, PromptEntry>();
  const entries: PromptEntry[] = [];
  rows.forEach(({ prompt }, i) => {
    const key = keyOf(prompt);
    const known = open.get(key);
    if (known !== undefined && known.rows.length < rowsPerPrompt) {
      known.rows.push(i);
      return;
    }
    const entry = { prompt, rows: [i] };
    open.set(key, entry);
    entries.push(entry);
  });
  return entries;
}

/** How many rows share a prompt at most: what costs least when prompts have different numbers of rows. */
function chooseRowsPerPrompt(rows: readonly ScoreRow[], promptSlots: number, responseSlots: number): number {
  const counts = new Map<string, number>();
  for (const { prompt } of rows) counts.set(keyOf(prompt), (counts.get(keyOf(prompt)) ?? 0) + 1);
  const cost = (size: number) => {
    const entries = [...counts.values()].reduce((n, count) => n + Math.ceil(count / size), 0);
    return bucket(entries) * (promptSlots + bucket(size) * responseSlots);
  };
  const sizes = [...new Set(counts.values())].sort((a, b) => b - a);
  return sizes.reduce((best, size) => (cost(size) < cost(best) ? size : best));
}

export interface LayoutOptions {
  /** Rows with equal prompts share the prompt's computation. */
  sharePrompts: boolean;
}

export interface Layout {
  grid: Grid;
  /** Tokens that the network computes, without padding. */
  tokens: number;
  feeds: Record<string, FeedValue>;
  /** Row and place of each response token, in flat order: index into the objective's [rows · responseSlots]. */
  positionOf: Int32Array;
}

/** Places rows in a grid. A `DataError` names a row that cannot be placed. */
export function layoutRows(rows: readonly ScoreRow[], { sharePrompts }: LayoutOptions): Layout {
  rows.forEach(({ prompt }, i) => {
    if (prompt.length === 0) throw new DataError(`row ${i} has an empty prompt: its first token has nothing to follow`);
  });
  const longest = (lengths: number[]) => bucket(Math.max(1, ...lengths));
  // One more than the shared tokens: the slot of the spare token.
  const promptSlots = longest(rows.map(({ prompt }) => prompt.length));
  const responseSlots = longest(rows.map(({ response }) => response.length));
  const rowsPerPrompt = sharePrompts ? chooseRowsPerPrompt(rows, promptSlots, responseSlots) : 1;
  const entries = entriesOf(rows, rowsPerPrompt);
  const grid = { prompts: bucket(entries.length), rowsPerPrompt: bucket(rowsPerPrompt), promptSlots, responseSlots };
  return fill(grid, rows, entries);
}

function fill(grid: Grid, rows: readonly ScoreRow[], entries: readonly PromptEntry[]): Layout {
  const { rowsPerPrompt, promptSlots, responseSlots } = grid;
  const ownTokens = entries.reduce((n, entry) => n + entry.prompt.length - 1, 0);
  const responseTokens = rows.reduce((n, row) => n + row.response.length, 0);
  if (responseTokens === 0) throw new DataError("no row has a response token");
  // Empty slots read a spare token behind the prompts', which nothing else sees.
  const spare = ownTokens;
  const promptTokens = ownTokens + 1;

  const sizes: Record<string, number> = { promptTokens, responseTokens };
  const shapes = rowShapes(grid);
  const feeds = {} as Record<keyof RowInputs, { shape: number[]; data: Int32Array }>;
  for (const [name, symbolic] of Object.entries(shapes) as [keyof RowInputs, (number | string)[]][]) {
    const shape = symbolic.map((dim) => (typeof dim === "string" ? sizes[dim]! : dim));
    feeds[name] = { shape, data: new Int32Array(shape.reduce((a, b) => a * b, 1)) };
  }
  feeds.promptSlots.data.fill(spare);
  feeds.responseSlots.data.fill(spare);

  let [promptToken, responseToken] = [0, 0];
  entries.forEach(({ prompt, rows: own }, p) => {
    const last = prompt.length - 1;
    feeds.promptLengths.data[p] = last;
    for (let i = 0; i < last; i++, promptToken++) {
      const slot = p * promptSlots + i;
      feeds.promptTokens.data[promptToken] = prompt[i]!;
      feeds.promptPositions.data[promptToken] = i;
      feeds.promptSlots.data[slot] = promptToken;
      feeds.slotOfPromptToken.data[promptToken] = slot;
    }
    own.forEach((row, r) => {
      const { response } = rows[row]!;
      for (let t = 0; t < response.length; t++, responseToken++) {
        const slot = (p * rowsPerPrompt + r) * responseSlots + t;
        const position = row * responseSlots + t;
        feeds.previousTokens.data[responseToken] = t === 0 ? prompt[last]! : response[t - 1]!;
        feeds.targets.data[responseToken] = response[t]!;
        feeds.responsePositions.data[responseToken] = last + t;
        feeds.responseSlots.data[slot] = promptTokens + responseToken;
        feeds.slotOfResponseToken.data[responseToken] = slot;
        feeds.tokenAt.data[position] = responseToken;
        feeds.positionOf.data[responseToken] = position;
      }
    });
  });
  feeds.slotOfPromptToken.data[spare] = feeds.promptLengths.data[0]!;
  const named = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [rowFeedName(name), value]));
  return { grid, tokens: promptTokens + responseTokens, feeds: named, positionOf: feeds.positionOf.data };
}
