import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { CsvError, parse as parseCsv } from "csv-parse/sync";
import { DataError } from "../errors.js";

/** One record of a data set as read, with the place to name in errors ("line 3", "$[2]"). */
export interface DataRecord {
  fields: Readonly<Record<string, unknown>>;
  place: string;
}

const SUFFIXES = [".jsonl", ".ndjson", ".json", ".csv"] as const;

/**
 * Reads a JSON Lines file (one record a line, blank lines skipped), a JSON file (an array of records) or a CSV file with a header.
 * `DataError` names file and line of what cannot be read.
 */
export function readRecords(file: string): DataRecord[] {
  const suffix = extname(file).toLowerCase();
  if (!SUFFIXES.some((known) => known === suffix)) {
    throw new DataError(`cannot tell the format of a data set from "${suffix}"`, { file, accepted: SUFFIXES });
  }
  const text = readText(file);
  const read = suffix === ".json" ? parseArray : suffix === ".csv" ? parseTable : parseLines;
  const records = read(file, text);
  if (records.length === 0) throw new DataError("the data set is empty", { file, accepted: "at least one record" });
  return records;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new DataError(missing ? "there is no such data set" : `the data set cannot be read: ${(cause as Error).message}`, {
      file,
      cause,
      ...(missing ? { hint: "relative paths start at the folder of the config" } : {}),
    });
  }
}

function parseLines(file: string, text: string): DataRecord[] {
  const records: DataRecord[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "") return;
    const place = `line ${index + 1}`;
    records.push({ fields: asRecord(file, place, parse(file, place, line)), place });
  });
  return records;
}

function parseArray(file: string, text: string): DataRecord[] {
  const value = parse(file, "$", text);
  if (!Array.isArray(value)) {
    throw new DataError("a .json data set is an array of records", { file, path: "$", hint: "one record a line goes into a .jsonl file" });
  }
  return value.map((record: unknown, index) => ({ fields: asRecord(file, `$[${index}]`, record), place: `$[${index}]` }));
}

function parseTable(file: string, text: string): DataRecord[] {
  try {
    const rows = parseCsv(text, { columns: true, skip_empty_lines: true, info: true }) as unknown as {
      record: Record<string, string>;
      info: { lines: number };
    }[];
    return rows.map(({ record, info }) => ({ fields: record, place: `line ${info.lines}` }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new DataError(`malformed CSV: ${cause.message}`, { file, path: `line ${String(cause.lines)}`, cause });
  }
}

function parse(file: string, place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`malformed JSON: ${(cause as Error).message}`, { file, path: place, given: shorten(text), cause });
  }
}

function asRecord(file: string, place: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DataError("a record is a JSON object", { file, path: place, given: shorten(JSON.stringify(value)) });
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);
