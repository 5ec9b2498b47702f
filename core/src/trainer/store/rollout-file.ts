import { DataError } from "../../errors.js";
import { fromJson, toJson } from "../serialize.js";
import { decodeParquet, encodeParquet, type ParquetColumn, type ParquetType } from "./parquet.js";
import type { RowUpdate, StoredRow } from "./rollout-row.js";

/** Version of the run folder's files; 1 was rollouts as gzipped JSON lines. */
export const RUN_FORMAT = 2;

const REWARD = "reward.";
const FACT = "fact.";

/** Rows of one step as a Parquet file. Equal rows give equal bytes. */
export function encodeRollouts(rows: readonly StoredRow[]): Uint8Array {
  const column = (name: string, type: ParquetType, of: (row: StoredRow) => unknown): ParquetColumn => ({
    name,
    type,
    values: rows.map(of),
  });
  const list = (name: string, type: ParquetType, of: (row: StoredRow) => ArrayLike<unknown> | null | undefined): ParquetColumn => ({
    name,
    type,
    isList: true,
    values: rows.map((row) => {
      const values = of(row);
      return values === null || values === undefined ? null : Array.from(values);
    }),
  });
  const flags = (name: string, of: (row: StoredRow) => ArrayLike<number> | undefined) =>
    list(name, "BOOLEAN", (row) => {
      const values = of(row);
      return values && Array.from(values, (value) => value === 1);
    });
  const numbers = (name: string, of: (row: StoredRow) => Float64Array | null | undefined) => list(name, widthOf(rows, of), of);
  const isRecomputed = rows.some(({ update, logp }) => update !== null && !equal(update.oldLogp, logp));
  const columns = [
    column("row", "INT32", ({ row }) => row),
    column("group", "INT32", ({ group }) => group),
    column("promptId", "STRING", ({ promptId }) => promptId),
    column("prompt", "STRING", ({ prompt }) => prompt),
    list("promptTokens", "INT32", ({ promptTokens }) => promptTokens),
    column("golds", "JSON", ({ golds }) => golds),
    column("text", "STRING", ({ text }) => text),
    column("finish", "STRING", ({ finish }) => finish),
    column("temperature", "DOUBLE", ({ temperature }) => temperature),
    column("noise", "INT64", ({ noise }) => (noise === null ? null : BigInt(noise))),
    column("reward", "DOUBLE", ({ reward }) => reward),
    column("correct", "DOUBLE", ({ correct }) => correct),
    ...namesOf(rows.map(({ rewards }) => rewards)).map((name) => column(REWARD + name, "DOUBLE", ({ rewards }) => rewards[name] ?? null)),
    column("columns", "STRING", (row) => (Object.keys(row.columns).length === 0 ? null : toJson(row.columns))),
    list("tokens", "INT32", ({ tokens }) => tokens),
    numbers("logp", ({ logp }) => logp),
    flags("mask", ({ mask }) => mask),
    column("trained", "BOOLEAN", ({ update }) => update !== null),
    flags("kept", ({ update }) => update?.kept),
    ...advantageColumns(rows, column, list),
    ...(isRecomputed ? [numbers("oldLogp", ({ update }) => update?.oldLogp)] : []),
    numbers("trainerLogp", ({ update }) => update?.logp),
    list("gate", "FLOAT", ({ update }) => update?.gate),
    ...namesOf(rows.map(({ update }) => update?.facts ?? {})).map((name) => {
      const of = (row: StoredRow) => row.update?.facts[name];
      const isFlag = rows.every((row) => of(row)?.every((value) => value === 0 || value === 1) ?? true);
      return isFlag ? flags(FACT + name, of) : list(FACT + name, "FLOAT", of);
    }),
  ];
  return encodeParquet(columns, { proximal: JSON.stringify({ formatVersion: RUN_FORMAT }) });
}

type Column = (name: string, type: ParquetType, of: (row: StoredRow) => unknown) => ParquetColumn;
type List = (name: string, type: ParquetType, of: (row: StoredRow) => ArrayLike<unknown> | null | undefined) => ParquetColumn;

/** One number where all tokens of a row share their advantage, a list elsewhere. */
function advantageColumns(rows: readonly StoredRow[], column: Column, list: List): ParquetColumn[] {
  const shared = ({ update }: StoredRow): number | null => {
    const first = update?.advantages[0];
    return first !== undefined && update!.advantages.every((value) => Object.is(value, first)) ? first : null;
  };
  const columns = [column("advantage", "DOUBLE", shared)];
  if (rows.some((row) => row.update !== null && shared(row) === null))
    columns.push(list("advantages", "DOUBLE", (row) => (shared(row) === null ? row.update?.advantages : null)));
  return columns;
}

const namesOf = (records: readonly Readonly<Record<string, unknown>>[]): string[] => [...new Set(records.flatMap(Object.keys))];

const equal = (a: Float64Array, b: Float64Array): boolean => a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/** Half the bytes where that loses nothing: an engine computes log-probs in float32. */
function widthOf(rows: readonly StoredRow[], of: (row: StoredRow) => Float64Array | null | undefined): "FLOAT" | "DOUBLE" {
  const isExact = (value: number) => Object.is(Math.fround(value), value);
  return rows.every((row) => of(row)?.every(isExact) ?? true) ? "FLOAT" : "DOUBLE";
}

/** Reads what `encodeRollouts` wrote. Errors: `DataError` for another format, or a damaged file. */
export async function decodeRollouts(bytes: Uint8Array, file: string): Promise<StoredRow[]> {
  const { rows, metadata } = await decodeParquet(bytes).catch((cause: unknown) => {
    throw new DataError(`the rollouts cannot be read: ${(cause as Error).message}`, { file, cause });
  });
  const { formatVersion } = JSON.parse(metadata.proximal ?? "{}") as { formatVersion?: number };
  if (formatVersion !== RUN_FORMAT) {
    throw new DataError("the rollouts have another format", { file, given: formatVersion, accepted: String(RUN_FORMAT) });
  }
  return rows.map(rowOf);
}

type Cells = Readonly<Record<string, unknown>>;
const floats = (values: unknown): Float64Array => Float64Array.from((values ?? []) as number[]);
const integers = (values: unknown): Int32Array => Int32Array.from((values ?? []) as number[]);
const bits = (values: unknown): Uint8Array => Uint8Array.from((values ?? []) as boolean[], Number);
const under = (cells: Cells, prefix: string): [string, unknown][] =>
  Object.entries(cells).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : []));

function rowOf(cells: Cells): StoredRow {
  return {
    row: cells.row as number,
    group: cells.group as number,
    promptId: cells.promptId as string,
    prompt: cells.prompt as string,
    promptTokens: integers(cells.promptTokens),
    golds: cells.golds as string[],
    text: cells.text as string,
    finish: cells.finish as StoredRow["finish"],
    temperature: cells.temperature as number,
    noise: cells.noise === undefined || cells.noise === null ? null : Number(cells.noise),
    reward: (cells.reward as number | undefined) ?? null,
    rewards: Object.fromEntries(under(cells, REWARD).map(([name, value]) => [name, (value as number | undefined) ?? null])),
    correct: (cells.correct as number | undefined) ?? null,
    tokens: integers(cells.tokens),
    mask: bits(cells.mask),
    logp: floats(cells.logp),
    update: cells.trained === true ? updateOf(cells) : null,
    columns: typeof cells.columns === "string" ? (fromJson(cells.columns) as Record<string, unknown>) : {},
  };
}

function updateOf(cells: Cells): RowUpdate {
  const kept = bits(cells.kept);
  const facts = under(cells, FACT).flatMap(([name, values]) => (values === undefined || values === null ? [] : [[name, floats(values)]]));
  return {
    kept,
    advantages: typeof cells.advantage === "number" ? new Float64Array(kept.length).fill(cells.advantage) : floats(cells.advantages),
    oldLogp: floats(cells.oldLogp ?? cells.logp),
    logp: Array.isArray(cells.trainerLogp) ? floats(cells.trainerLogp) : null,
    gate: Array.isArray(cells.gate) ? floats(cells.gate) : null,
    facts: Object.fromEntries(facts) as Record<string, Float64Array>,
  };
}
