import type { ScoreRow } from "@proximal/core";
import { indicesBy } from "../indices.js";
import type { TransformerConfig } from "../model/index.js";

export interface MicroBatchOptions {
  /** Tokens of a micro-batch, with every response as long as the longest of all. */
  tokens: number;
  /** [rows] group of each row; rows of a group then stay together, whatever they cost. */
  groups?: ArrayLike<number>;
  /** Workers that share the micro-batches: there are a multiple of as many, where there are enough rows. */
  workers?: number;
}

function promptTokensOf(rows: readonly ScoreRow[], indices: readonly number[]): number {
  const lengths = new Map(indices.map((i) => [rows[i]!.prompt.join(), rows[i]!.prompt.length]));
  return [...lengths.values()].reduce((a, b) => a + b, 0);
}

/**
 * Rows in micro-batches that fit the budget and cost about the same, rows with equal prompts together. Everything in one
 * when it fits and nobody shares.
 */
export function planMicroBatches(rows: readonly ScoreRow[], { tokens: budget, groups, workers = 1 }: MicroBatchOptions): number[][] {
  const longest = Math.max(1, ...rows.map(({ response }) => response.length));
  const cost = (indices: readonly number[]) => promptTokensOf(rows, indices) + indices.length * longest;
  const whole = indicesBy(rows, ({ prompt }, i) => (groups === undefined ? prompt.join() : groups[i]!));
  const total = whole.reduce((n, unit) => n + cost(unit), 0);
  const count = workers * Math.ceil(total / budget / workers);
  if (count <= 1) return [rows.map((_, i) => i)];

  const target = total / count;
  const pieces = groups === undefined ? whole.flatMap((unit) => split(unit, cost(unit), target)) : whole;
  const batches: number[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const piece of pieces) {
    if (filled + cost(piece) / 2 > target) {
      batches.push([]);
      filled = 0;
    }
    batches.at(-1)!.push(...piece);
    filled += cost(piece);
  }
  return batches.map((batch) => batch.sort((x, y) => x - y));
}

/** Pieces of equal size, none above the target. */
function split(unit: readonly number[], cost: number, target: number): number[][] {
  const count = Math.min(unit.length, Math.ceil(cost / target));
  const at = (piece: number) => Math.round((piece * unit.length) / count);
  return Array.from({ length: count }, (_, piece) => unit.slice(at(piece), at(piece + 1)));
}

/** Memory that activations may take by default, bytes. Workers accumulate gradients anyway: for them small micro-batches cost nothing. */
const ACTIVATION_BYTES = { alone: 2e9, shared: 5e8 };

export interface MicroBatchSizing {
  recompute?: boolean;
  /** Who works at the same time, on a micro-batch each. */
  workers?: number;
}

/**
 * Tokens of a micro-batch whose activations fit the default memory, from the sizes of what backward keeps: states, gates, attention weights
 * of each layer and the distribution of each token. With recomputed layers only one layer's inner values exist at a time.
 */
export function defaultMicroBatchTokens(
  config: TransformerConfig,
  rows: readonly ScoreRow[],
  { recompute = false, workers = 1 }: MicroBatchSizing = {},
): number {
  const { hidden_size: d, intermediate_size: f, num_hidden_layers: layers, num_attention_heads: heads, vocab_size: v } = config;
  const context = Math.max(0, ...rows.map(({ prompt, response }) => prompt.length + response.length));
  const inner = 14 * d + 6 * f + 3 * heads * context;
  const kept = recompute ? inner + layers * d : layers * inner;
  const bytes = workers === 1 ? ACTIVATION_BYTES.alone : ACTIVATION_BYTES.shared / workers;
  return Math.min(65_536, Math.max(64, Math.floor(bytes / (4 * (kept + 3 * v)))));
}
