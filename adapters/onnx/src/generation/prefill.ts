import { Tensor } from "onnxruntime-node";
import type { Session, SessionFeeds } from "../session/index.js";
import { HIDDEN } from "./attention.js";
import type { Sequence } from "./batches.js";
import { layOut, type Piece, type Run } from "./kept.js";
import { floats, ints } from "./tensors.js";

/** Tokens, padding included, that one prefill run takes: its attention scores grow with rows times length squared. */
const RUN_TOKENS = 4096;

/** Cached sequences, ready for `decodeGraph`: `keys.i`, `values.i` [P, Hkv, L, D] and `bias` [P, L]; and the prefixes' log-probs. */
export interface Prefilled {
  state: Record<string, Tensor>;
  /** Per sequence; 0 where they are not asked for. */
  prefixLogp: Float64Array[];
  /** Slots of each sequence's tokens, but the last. */
  runs: Run[][];
}

/** 0 at the slots of tokens, a large negative number at the others: [P, slots]. */
function biasOf(runs: readonly (readonly Run[])[], slots: number): Tensor {
  const bias = new Float32Array(runs.length * slots).fill(HIDDEN);
  runs.forEach((list, p) => {
    for (const [start, count] of list) bias.fill(0, p * slots + start, p * slots + start + count);
  });
  return new Tensor("float32", bias, [runs.length, slots]);
}

function feedsOf(sequences: readonly Sequence[], length: number): Record<string, Tensor> {
  const count = sequences.length;
  const id = ({ tokens }: Sequence, at: number) => tokens[at] ?? tokens[0]!;
  const prefix = sequences.reduce((longest, { prefixLength }) => Math.max(longest, prefixLength), 0);
  const given = (i: number) => {
    const { tokens, prefixLength } = sequences[i % count]!;
    return { tokens, at: Math.min(tokens.length - prefixLength + Math.floor(i / count), tokens.length - 1) };
  };
  return {
    ids: ints([count, length], (i) => id(sequences[Math.floor(i / length)]!, i % length)),
    count: ints([], () => prefix),
    at: ints([prefix, count], (i) => Math.max(given(i).at - 1, 0)),
    target: ints([prefix, count], (i) => given(i).tokens[given(i).at]!),
    inverseTemperature: floats([count], (i) => 1 / sequences[i]!.temperature),
  };
}

/** Runs of several sequences each, joined along the first axis. */
function join(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0]!;
  const [, ...rest] = parts[0]!.dims;
  const data = new Float32Array(parts.reduce((total, part) => total + part.size, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data as Float32Array, at);
    at += part.size;
  }
  return new Tensor("float32", data, [parts.reduce((total, { dims }) => total + dims[0]!, 0), ...rest]);
}

/** Caches all tokens of each sequence but the last, which the first decoding step takes. */
export async function prefill(session: Session, parameters: SessionFeeds, sequences: readonly Sequence[]): Promise<Prefilled> {
  const length = sequences.reduce((longest, { tokens }) => Math.max(longest, tokens.length - 1), 1);
  const perRun = Math.max(1, Math.floor(RUN_TOKENS / length));
  const parts: Record<string, Tensor>[] = [];
  const prefixLogp: Float64Array[] = [];
  for (let from = 0; from < sequences.length; from += perRun) {
    const part = sequences.slice(from, from + perRun);
    const { logp, ...cache } = await session.run({ ...parameters, ...feedsOf(part, length) });
    parts.push(cache);
    const data = logp?.data as Float32Array | undefined;
    part.forEach(({ prefixLength }, p) => {
      prefixLogp.push(Float64Array.from({ length: prefixLength }, (_, x) => data?.[x * part.length + p] ?? 0));
    });
  }
  const runs = sequences.map(({ tokens }): Run[] => [[0, tokens.length - 1]]);
  return { state: { ...joined(parts), bias: biasOf(runs, length) }, prefixLogp, runs };
}

const joined = (parts: readonly Record<string, Tensor>[]): Record<string, Tensor> =>
  Object.fromEntries(Object.keys(parts[0]!).map((name) => [name, join(parts.map((part) => part[name]!))]));

/** Tokens of a sequence that are neither known nor its last. */
const newTokens = ({ tokens, known }: Sequence): Int32Array => tokens.subarray(known!.length, tokens.length - 1);

/** The same of sequences whose beginnings are known: only what follows is computed. No log-probs of prefixes. */
export async function extend(
  session: () => Promise<Session>,
  parameters: SessionFeeds,
  sequences: readonly Sequence[],
  positions: number,
): Promise<Prefilled> {
  const lengthOf = ({ known }: Sequence) => known!.length;
  const past = Math.max(...sequences.map(lengthOf));
  const length = Math.max(...sequences.map((sequence) => newTokens(sequence).length));
  const names = Object.keys(sequences[0]!.known!.kept.cache);
  const beginningsOf = (part: readonly Sequence[]) => {
    const pieces = part.map(({ known }): Piece[] => [{ tensors: known!.kept.cache, row: 0, runs: [[0, known!.length]] }]);
    const runs = part.map((sequence): Run[] => [[0, lengthOf(sequence)]]);
    return { ...layOut(names, pieces, past), bias: biasOf(runs, past) };
  };
  const prefixLogp = sequences.map(({ prefixLength }) => new Float64Array(prefixLength));
  const runs = sequences.map((sequence): Run[] => [
    [0, lengthOf(sequence)],
    [past, newTokens(sequence).length],
  ]);
  if (length === 0) return { state: beginningsOf(sequences), prefixLogp, runs };
  const perRun = Math.max(1, Math.floor(RUN_TOKENS / (past + length)));
  const parts: Record<string, Tensor>[] = [];
  for (let from = 0; from < sequences.length; from += perRun) {
    const part = sequences.slice(from, from + perRun);
    const at = (i: number) => ({ sequence: part[Math.floor(i / length)]!, offset: i % length });
    const feeds = {
      ids: ints([part.length, length], (i) => newTokens(at(i).sequence)[at(i).offset] ?? at(i).sequence.tokens[0]!),
      positions: ints([part.length, length], (i) => Math.min(lengthOf(at(i).sequence) + at(i).offset, positions - 1)),
    };
    const results = await (await session()).run({ ...parameters, ...beginningsOf(part), ...feeds });
    parts.push(Object.fromEntries(names.map((name) => [name, results[`${name}.next`]!])));
  }
  return { state: { ...joined(parts), bias: biasOf(runs, past + length) }, prefixLogp, runs };
}
