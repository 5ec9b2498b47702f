import type { TransformerConfig } from "../model/index.js";
import type { DecodeJob } from "./job.js";
import type { KeptSequences, KnownBeginning } from "./kept.js";

/** Memory of the keys and values that are decoded side by side, bytes; between two segments it is needed three times. */
const CACHE_BYTES = 1e9;

/** Rows whose keys and values fit the memory when each grows to the job's longest sequence. */
export function rowsThatFit(config: TransformerConfig, job: DecodeJob): number {
  const longest = job.maxTokens.reduce((longest, maxTokens, i) => {
    const prompt = job.offsets[i + 1]! - job.offsets[i]! - job.prefixLengths[i]!;
    return Math.max(longest, prompt + maxTokens);
  }, 1);
  const bytesPerToken = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * Float32Array.BYTES_PER_ELEMENT;
  return Math.max(1, Math.floor(CACHE_BYTES / (bytesPerToken * longest)));
}

/** Tokens that rows start from, prefilled once for all rows that share them. */
export interface Sequence {
  tokens: Int32Array;
  /** The last of `tokens` are given response tokens, whose log-probs are taken at this temperature. */
  prefixLength: number;
  temperature: number;
  /** The prompt among those that responses are kept of. */
  prompt: string;
  /** What is known of it before. */
  known?: KnownBeginning;
}

/** One response in the making. */
export interface Row {
  /** Position of its request. */
  index: number;
  /** Position of its sequence in the batch. */
  sequence: number;
  stops: Int32Array;
  /** The host looks for stop strings in its tokens. */
  watched: boolean;
  /** Prefix included. */
  tokens: number[];
  logp: number[];
  stopped: boolean;
}

export interface Batch {
  sequences: Sequence[];
  rows: Row[];
}

/**
 * The rows of a job in batches of at most `maxRows`, about equally many each. Rows with equal beginnings stand together, and
 * beginnings of similar length, so that little is padded. Those that are partly known have batches of their own.
 */
export function planBatches(job: DecodeJob, maxRows: number, kept?: KeptSequences): Batch[] {
  const sequences = new Map<string, { sequence: Sequence; rows: Row[] }>();
  for (let index = 0; index < job.keys.length; index++) {
    const tokens = job.tokens.subarray(job.offsets[index], job.offsets[index + 1]);
    const prefixLength = job.prefixLengths[index]!;
    const temperature = job.temperature[index]!;
    const prompt = kept === undefined ? "" : tokens.subarray(0, tokens.length - prefixLength).join();
    const known = job.prefixes ? undefined : kept?.find(prompt, tokens);
    const key = `${tokens.join()}|${prefixLength}|${prefixLength > 0 ? temperature : ""}`;
    const entry = sequences.get(key) ?? { sequence: { tokens, prefixLength, temperature, prompt, known }, rows: [] };
    const stops = job.stops.subarray(job.stopOffsets[index], job.stopOffsets[index + 1]);
    const watched = job.watched[index] === 1;
    entry.rows.push({ index, sequence: -1, stops, watched, tokens: [], logp: [], stopped: false });
    sequences.set(key, entry);
  }
  const ordered = [...sequences.values()].sort((a, b) => a.sequence.tokens.length - b.sequence.tokens.length);
  const all = ordered.flatMap(({ sequence, rows }) => rows.map((row) => ({ sequence, row })));
  const [known, fresh] = [all.filter(({ sequence }) => sequence.known), all.filter(({ sequence }) => !sequence.known)];
  return [...split(fresh, maxRows), ...split(known, maxRows)];
}

function split(all: readonly { sequence: Sequence; row: Row }[], maxRows: number): Batch[] {
  const count = Math.ceil(all.length / maxRows);
  return Array.from({ length: count }, (_, i) => {
    const part = all.slice(Math.floor((i * all.length) / count), Math.floor(((i + 1) * all.length) / count));
    const distinct = [...new Set(part.map(({ sequence }) => sequence))];
    return { sequences: distinct, rows: part.map(({ sequence, row }) => ({ ...row, sequence: distinct.indexOf(sequence) })) };
  });
}
