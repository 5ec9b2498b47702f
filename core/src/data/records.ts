import { createReadStream, readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import { pipeline, Readable } from "node:stream";
import { CsvError, parse as parseCsv } from "csv-parse";
import { decodeUtf8 } from "../config/text.js";
import { DataError } from "../errors.js";
import { isHub, openHub } from "./hub.js";
import { openJsonLines } from "./json-lines.js";
import { openParquet } from "./parquet.js";
import { asRecord, memorySource, parseJson, type RecordSource, RecordStore, textOf } from "./source.js";

const SUFFIXES = [".jsonl", ".ndjson", ".json", ".csv", ".parquet"] as const;

/** Bytes of records that are kept in memory unless the config says otherwise. */
export const DEFAULT_MEMORY = 256e6;

/**
 * Opens a data set: JSON Lines (one record a line, blank lines skipped), JSON (an array of records), CSV with a header, Parquet,
 * or `hub:owner/name`. Beyond `memory` bytes records stay on disk and are read when they are asked for; a JSON array is always
 * read whole. `DataError` names file and place of what cannot be read.
 */
export async function openRecords(file: string, memory = DEFAULT_MEMORY): Promise<RecordSource> {
  const source = isHub(file) ? await openHub(file, memory) : await openFile(file, memory);
  if (source.size === 0) throw new DataError("the data set is empty", { file, accepted: "at least one record" });
  return source;
}

function openFile(file: string, memory: number): RecordSource | Promise<RecordSource> {
  const suffix = extname(file).toLowerCase();
  if (!SUFFIXES.some((known) => known === suffix)) {
    throw new DataError(`cannot tell the format of a data set from "${suffix}"`, { file, accepted: SUFFIXES });
  }
  try {
    if (!statSync(file).isFile()) throw new Error("it is no file");
    if (suffix === ".csv") return readTable(file, memory);
    if (suffix === ".parquet") return openParquet(file, [file], memory);
    return suffix === ".json" ? readArray(file) : openJsonLines(file);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new DataError(missing ? "there is no such data set" : `the data set cannot be read: ${(cause as Error).message}`, {
      file,
      cause,
      ...(missing ? { hint: "relative paths start at the folder of the config; hub:owner/name asks a hub" } : {}),
    });
  }
}

function readArray(file: string): RecordSource {
  const text = textOf(file, "$", readFileSync(file));
  const value = parseJson(file, "$", text);
  if (!Array.isArray(value)) {
    throw new DataError("a .json data set is an array of records", { file, path: "$", hint: "one record a line goes into a .jsonl file" });
  }
  const records = value.map((record: unknown, index) => ({ fields: asRecord(file, `$[${index}]`, record), place: `$[${index}]` }));
  return memorySource(file, records, text.length);
}

const NEWLINE = 10;

/** The file's text in pieces of whole lines. `DataError` names the line that is not UTF-8. */
async function* textOfFile(file: string): AsyncGenerator<string> {
  let line = 1;
  const decoded = (bytes: Buffer): string => {
    const text = decodeUtf8(bytes);
    if (text !== undefined) return text;
    for (let start = 0; start < bytes.length; line++) {
      const end = bytes.indexOf(NEWLINE, start);
      textOf(file, `line ${line}`, bytes.subarray(start, end < 0 ? bytes.length : end));
      start = end < 0 ? bytes.length : end + 1;
    }
    return bytes.toString();
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const block of createReadStream(file) as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([rest, block]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    rest = bytes.subarray(end);
    if (end === 0) continue;
    const text = decoded(bytes.subarray(0, end));
    yield text;
    line += text.split("\n").length - 1;
  }
  yield decoded(rest);
}

async function readTable(file: string, memory: number): Promise<RecordSource> {
  const store = new RecordStore(file, memory);
  const rows = parseCsv({ columns: true, skip_empty_lines: true, info: true, bom: true });
  pipeline(Readable.from(textOfFile(file)), rows, () => {}); // The loop meets what fails.
  try {
    for await (const { record, info } of rows as AsyncIterable<{ record: Record<string, string>; info: { lines: number } }>) {
      store.add({ fields: record, place: `line ${info.lines}` });
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new DataError(`malformed CSV: ${cause.message}`, { file, path: `line ${String(cause.lines)}`, cause });
  }
  return store.source();
}
