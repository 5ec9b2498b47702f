import { NumericalError } from "@proximal/core";
import type { Tensor } from "onnxruntime-node";
import type { Session, SessionFeeds } from "../session/index.js";
import { type Batch, planBatches, type Row, type Sequence } from "./batches.js";
import { appended, type DecodeJob, type DecodeOutcome, flatten } from "./job.js";
import { type KeptSequences, layOut, type Piece } from "./kept.js";
import { uniform } from "./noise.js";
import { extend, prefill } from "./prefill.js";
import type { Ending, Progress } from "./stopping.js";
import { bools, floats, ints } from "./tensors.js";

/** What decoding needs of the thread that owns the policy. */
export interface DecodeRuntime {
  /** The live session of `prefillGraph`, `extendGraph` or `decodeGraph` for this job. */
  session(role: "prefill" | "extend" | "decode"): Promise<Session>;
  parameters: SessionFeeds;
  /** Responses that are decoded side by side. */
  maxRows: number;
  /** What earlier calls computed, and where this one's responses are kept. */
  kept?: KeptSequences;
  /** This one's are not. */
  last?: boolean;
  /** Positions that the graphs provide for. */
  positions?: number;
}

/** Steps of a segment at most: each copies the keys and values of the segment's earlier ones. */
const SEGMENT_STEPS = 128;

/** The same where stop strings are looked for between segments: what is decoded behind one is thrown away. */
const WATCHED_SEGMENT_STEPS = 16;

/** Steps that a new segment costs: finished rows idle for as many before the others go on alone. */
const COMPACTION_STEPS = 2;

interface Segment {
  feeds: Record<string, Tensor>;
  /** Some rows may be unfinished at its end. */
  mayContinue: boolean;
}

/** Tokens of prompt and response so far, bool [B, V]. */
function seenBy(rows: readonly Row[], sequences: Batch["sequences"], { vocabularySize }: DecodeJob): Tensor {
  const seen = bools([rows.length, vocabularySize], () => 0);
  rows.forEach(({ sequence, tokens }, b) => {
    for (const token of [...sequences[sequence]!.tokens, ...tokens]) (seen.data as Uint8Array)[b * vocabularySize + token] = 1;
  });
  return seen;
}

function segmentOf(job: DecodeJob, { sequences }: Batch, rows: readonly Row[], source: readonly number[]): Segment {
  const count = rows.length;
  const remaining = rows.map((row) => job.maxTokens[row.index]! - row.tokens.length);
  const longest = Math.max(...remaining);
  const steps = Math.min(longest, rows.some(({ watched }) => watched) ? WATCHED_SEGMENT_STEPS : SEGMENT_STEPS);
  const stopWidth = Math.max(1, ...rows.map(({ stops }) => stops.length));
  const mayEndEarly = rows.some(({ stops }) => stops.length > 0) || remaining.some((left) => left !== longest);
  const perRow = (values: ArrayLike<number>) => (i: number) => values[rows[i]!.index]!;
  // Prompt and all response tokens so far but the last are cached.
  const position = ({ index, tokens }: Row) =>
    job.offsets[index + 1]! - job.offsets[index]! - job.prefixLengths[index]! + tokens.length - 1;
  const { entries, width, placeOf } = sharedPlaces(source);
  const rowAt = new Int32Array(entries.length * width);
  placeOf.forEach(([entry, place], row) => {
    rowAt[entry * width + place] = row;
  });
  const feeds = {
    source: ints([entries.length], (i) => entries[i]!),
    rowAt: ints([entries.length, width], (i) => rowAt[i]!),
    placeOf: ints([count, 2], (i) => placeOf[i >> 1]![i & 1]!),
    token: ints([count], (i) => rows[i]!.tokens.at(-1) ?? sequences[rows[i]!.sequence]!.tokens.at(-1)!),
    position: ints([count], (i) => position(rows[i]!)),
    limit: ints([count], (i) => remaining[i]!),
    stop: ints([count, stopWidth], (i) => rows[Math.floor(i / stopWidth)]!.stops[i % stopWidth] ?? -1),
    uniform: floats([steps, count], (i) => {
      const { index, tokens } = rows[i % count]!;
      return uniform(job.keys[index]!, tokens.length + Math.floor(i / count));
    }),
    steps: ints([], () => steps),
    patience: floats([], () => (mayEndEarly ? COMPACTION_STEPS * count : Number.POSITIVE_INFINITY)),
    inverseTemperature: floats([count], (i) => 1 / perRow(job.temperature)(i)),
    greedy: bools([count], perRow(job.greedy)),
    topK: ints([count], perRow(job.topK)),
    topP: floats([count], perRow(job.topP)),
    minP: floats([count], perRow(job.minP)),
    ...(job.variant.penalised
      ? { repetitionPenalty: floats([count], perRow(job.repetitionPenalty)), seen: seenBy(rows, sequences, job) }
      : {}),
  };
  return { feeds, mayContinue: mayEndEarly || steps < longest };
}

/** What reading a cached sequence costs, in rows that attend to it. */
const SEQUENCE_COST = 4;

/**
 * Rows at places of entries, each of which stands for one cached sequence and holds up to `width` rows of it; a sequence with
 * more rows has several entries. The width is the one that costs least.
 */
function sharedPlaces(source: readonly number[]): { entries: number[]; width: number; placeOf: (readonly [number, number])[] } {
  const counts = new Map<number, number>();
  for (const sequence of source) counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
  const cost = (width: number) => {
    let entries = 0;
    for (const count of counts.values()) entries += Math.ceil(count / width);
    return entries * (SEQUENCE_COST + width);
  };
  const width = [...new Set(counts.values())].reduce((best, size) => (cost(size) < cost(best) ? size : best));
  const entries: number[] = [];
  const open = new Map<number, { entry: number; filled: number }>();
  const placeOf = source.map((sequence) => {
    let current = open.get(sequence);
    if (current === undefined || current.filled === width) {
      current = { entry: entries.push(sequence) - 1, filled: 0 };
      open.set(sequence, current);
    }
    return [current.entry, current.filled++] as const;
  });
  return { entries, width, placeOf };
}

/** Appends a segment's tokens to its rows. Returns the rows that are not finished. */
function collect(rows: readonly Row[], { tokens, logp, length, finished }: Record<string, Tensor>): Row[] {
  const [ids, logps] = [tokens!.data as BigInt64Array, logp!.data as Float32Array];
  const lengths = length!.data as BigInt64Array;
  rows.forEach((row, b) => {
    for (let step = 0; step < Number(lengths[b]); step++) {
      row.tokens.push(Number(ids[step * rows.length + b]));
      row.logp.push(logps[step * rows.length + b]!);
    }
    row.stopped = row.stops.includes(row.tokens.at(-1)!);
  });
  return rows.filter((_, b) => (finished!.data as Uint8Array)[b] === 0);
}

/** Shortens the rows that a stop string ends; `made` tells how many tokens the segment gave each row. */
function endAt(endings: readonly Ending[], made: ReadonlyMap<Row, number>): void {
  const kept = new Map(endings.map(({ index, keep }) => [index, keep]));
  for (const [row, count] of made) {
    const keep = kept.get(row.index);
    if (keep === undefined) continue;
    row.tokens.length += keep - count;
    row.logp.length = row.tokens.length;
    row.stopped = true;
  }
}

const cacheNames = (state: Readonly<Record<string, Tensor>>): string[] => Object.keys(state).filter((name) => name !== "bias");

/** Keeps what was computed of a response: all of it but its last token, which no step has taken. */
function keep(kept: KeptSequences, { prompt, tokens, prefixLength }: Sequence, row: Row, key: number, pieces: readonly Piece[]): void {
  const whole = appended(tokens, row.tokens.slice(prefixLength)).subarray(0, -1);
  kept.put(prompt, key, { tokens: whole, cache: layOut(cacheNames(pieces[0]!.tensors), [pieces], whole.length) });
}

async function* decodeBatch(
  job: DecodeJob,
  batch: Batch,
  { session, parameters, kept, last = false, positions = Number.POSITIVE_INFINITY }: DecodeRuntime,
): AsyncGenerator<Progress, void, readonly Ending[]> {
  const {
    state: prefilled,
    prefixLogp,
    runs,
  } = batch.sequences[0]?.known
    ? await extend(() => session("extend"), parameters, batch.sequences, positions)
    : await prefill(await session("prefill"), parameters, batch.sequences);
  const memory = last ? undefined : kept;
  /** Where the keys and values of each row lie; only of what is kept. */
  const pieces = new Map<Row, Piece[]>();
  if (memory !== undefined)
    for (const row of batch.rows) pieces.set(row, [{ tensors: prefilled, row: row.sequence, runs: runs[row.sequence]! }]);
  for (const row of batch.rows) {
    const { tokens, prefixLength } = batch.sequences[row.sequence]!;
    row.tokens.push(...tokens.subarray(tokens.length - prefixLength));
    row.logp.push(...prefixLogp[row.sequence]!);
    row.stopped = prefixLength > 0 && row.stops.includes(row.tokens.at(-1)!);
  }
  const decoder = await session("decode");
  const names = cacheNames(prefilled);
  let state = prefilled;
  let rows = batch.rows.filter((row) => !row.stopped && row.tokens.length < job.maxTokens[row.index]!);
  let source = rows.map(({ sequence }) => sequence);
  while (rows.length > 0) {
    const { feeds, mayContinue } = segmentOf(job, batch, rows, source);
    const carried = mayContinue ? Object.keys(state).map((name) => `${name}.next`) : [];
    const made = memory === undefined ? [] : names.map((name) => `${name}.made`);
    const wanted = ["tokens", "logp", "length", "finished", ...carried, ...made];
    const results = await decoder.run({ ...parameters, ...state, ...feeds }, wanted);
    if (memory !== undefined) {
      const tensors = Object.fromEntries(names.map((name) => [name, results[`${name}.made`]!]));
      const added = results.length!.data as BigInt64Array;
      rows.forEach((row, b) => {
        pieces.get(row)!.push({ tensors, row: b, runs: [[0, Number(added[b])]] });
      });
    }
    const lengths = new Map(rows.map((row) => [row, row.tokens.length]));
    const unfinished = collect(rows, results);
    const watched = rows.filter((row) => row.watched);
    if (watched.length > 0) {
      const added = new Map(watched.map((row) => [row, row.tokens.length - lengths.get(row)!]));
      endAt(yield watched.map((row) => ({ index: row.index, tokens: row.tokens.slice(lengths.get(row)) })), added);
    }
    const open = unfinished.map((row, i) => ({ row, i })).filter(({ row }) => !row.stopped);
    rows = open.map(({ row }) => row);
    source = open.map(({ i }) => i);
    state = Object.fromEntries(carried.map((name) => [name.replace(/\.next$/, ""), results[name]!]));
  }
  for (const [row, own] of pieces) {
    if (own.length > 1) keep(memory!, batch.sequences[row.sequence]!, row, job.keys[row.index]!, own);
  }
}

/**
 * Decodes a job. After each segment it yields what the watched rows got, and goes on without those that the answer ends.
 * `NumericalError` when the policy's logits are not finite.
 */
export async function* decodeRun(job: DecodeJob, runtime: DecodeRuntime): AsyncGenerator<Progress, DecodeOutcome, readonly Ending[]> {
  const batches = planBatches(job, runtime.maxRows, runtime.kept);
  for (const batch of batches) yield* decodeBatch(job, batch, runtime);
  const rows = batches.flatMap((batch) => batch.rows).sort((a, b) => a.index - b.index);
  const { values: tokens, offsets } = flatten(rows.map((row) => row.tokens));
  const logp = Float64Array.from(rows.flatMap((row) => row.logp));
  const broken = logp.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const row = rows[offsets.findIndex((offset) => offset > broken) - 1]!;
    throw new NumericalError("the policy gives a log-probability that is not finite", {
      given: `${logp[broken]} at token ${broken - offsets[row.index]!} of response ${row.index}`,
      hint: "its parameters or its temperature are out of range",
    });
  }
  return { tokens, logp, offsets, stopped: Uint8Array.from(rows, ({ stopped }) => Number(stopped)) };
}
