import type { FeedValue, ScoreRow } from "@proximal/core";
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
  /** Takes the smallest grid that holds the rows; returns the one to use. */
  choose?: (tight: Grid) => Grid;
}

export interface Layout {
  grid: Grid;
  /** Flat tokens: what the symbols stand for. */
  sizes: { promptTokens: number; responseTokens: number };
  feeds: Record<string, FeedValue>;
  /** Row and place of each response token, in flat order: index into the objective's [rows · responseSlots]. */
  positionOf: Int32Array;
}

/** Places each part of the rows in a grid, all in grids of the same size, so that one graph serves them. */
export function layoutRows(parts: readonly (readonly ScoreRow[])[], { sharePrompts, choose = (tight) => tight }: LayoutOptions): Layout[] {
  const all = parts.flat();
  const longest = (lengths: number[]) => bucket(Math.max(1, ...lengths));
  // One more than the shared tokens: the slot of the spare token.
  const promptSlots = longest(all.map(({ prompt }) => prompt.length));
  const responseSlots = longest(all.map(({ response }) => response.length));
  const entries = parts.map((rows) => entriesOf(rows, sharePrompts ? chooseRowsPerPrompt(rows, promptSlots, responseSlots) : 1));
  const rowsPerPrompt = bucket(Math.max(...entries.flat().map((entry) => entry.rows.length)));
  const prompts = bucket(Math.max(...entries.map((list) => list.length)));
  const grid = choose({ prompts, rowsPerPrompt, promptSlots, responseSlots });
  return parts.map((rows, i) => fill(grid, rows, entries[i]!));
}

function fill(grid: Grid, rows: readonly ScoreRow[], entries: readonly PromptEntry[]): Layout {
  const { rowsPerPrompt, promptSlots, responseSlots } = grid;
  const ownTokens = entries.reduce((n, entry) => n + entry.prompt.length - 1, 0);
  const realTokens = rows.reduce((n, row) => n + row.response.length, 0);
  // Rows without any token get one that no objective sees: there is no graph over nothing.
  const responseTokens = Math.max(1, realTokens);
  // Empty slots read a spare token behind the prompts', which nothing else sees.
  const spare = ownTokens;
  const promptTokens = ownTokens + 1;

  const sizes = { promptTokens, responseTokens };
  const shapes = rowShapes(grid);
  const feeds = {} as Record<keyof RowInputs, { shape: number[]; data: Int32Array }>;
  for (const [name, symbolic] of Object.entries(shapes) as [keyof RowInputs, (number | string)[]][]) {
    const shape = symbolic.map((dim) => (typeof dim === "string" ? sizes[dim as keyof typeof sizes] : dim));
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
  return { grid, sizes, feeds: named, positionOf: feeds.positionOf.data.subarray(0, realTokens) };
}

/** Calls back with each token of a layout: its place in flat results, and in the rows that `offsets` describe. */
function eachToken(
  { positionOf, grid }: Layout,
  offsets: Int32Array,
  rows: readonly number[],
  visit: (flat: number, token: number) => void,
): void {
  for (let flat = 0; flat < positionOf.length; flat++) {
    const row = Math.floor(positionOf[flat]! / grid.responseSlots);
    visit(flat, offsets[rows[row]!]! + (positionOf[flat]! % grid.responseSlots));
  }
}

/** Writes flat results of the laid-out `rows` to their places among all. */
export function spread(
  values: ArrayLike<number>,
  layout: Layout,
  offsets: Int32Array,
  rows: readonly number[],
  into: Float64Array | Int32Array,
): void {
  const width = values.length / layout.positionOf.length;
  eachToken(layout, offsets, rows, (flat, token) => {
    for (let k = 0; k < width; k++) into[token * width + k] = values[flat * width + k]!;
  });
}

/** Takes the values of the laid-out `rows` from all, in flat order. */
export function collect(values: ArrayLike<number>, layout: Layout, offsets: Int32Array, rows: readonly number[]): FeedValue {
  const width = values.length / offsets.at(-1)!;
  const count = layout.sizes.responseTokens;
  const data = new Float64Array(count * width);
  eachToken(layout, offsets, rows, (flat, token) => {
    for (let k = 0; k < width; k++) data[flat * width + k] = values[token * width + k]!;
  });
  return { shape: width === 1 ? [count] : [count, width], data };
}
