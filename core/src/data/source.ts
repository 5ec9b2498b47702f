import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeUtf8 } from "../config/text.js";
import { DataError } from "../errors.js";

/** One record of a data set as read, with the place to name in errors ("line 3", "$[2]", "row 7"). */
export interface DataRecord {
  fields: Readonly<Record<string, unknown>>;
  place: string;
}

/** Records of one file in its order, each read when it is asked for. */
export interface RecordSource {
  /** For errors: the file, or the name of a data set on a hub. */
  readonly file: string;
  readonly size: number;
  /** What the records take as text, bytes. */
  readonly bytes: number;
  at(index: number): DataRecord;
}

export const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);

export function asRecord(file: string, place: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DataError("a record is a JSON object", { file, path: place, given: shorten(JSON.stringify(value)) });
}

export function parseJson(file: string, place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`malformed JSON: ${(cause as Error).message}`, { file, path: place, given: shorten(text), cause });
  }
}

/** What the bytes say in UTF-8; another encoding is a `DataError`. */
export function textOf(file: string, place: string, bytes: Buffer): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  throw new DataError("the text is not UTF-8", {
    file,
    path: place,
    given: shorten(bytes.toString("latin1")),
    hint: "save the file in UTF-8, e.g. iconv -f latin1 -t utf-8",
  });
}

/** Records that are in memory. */
export function memorySource(file: string, records: readonly DataRecord[], bytes = 0): RecordSource {
  return { file, size: records.length, bytes, at: (index) => records[index]! };
}

/** Where the lines of an open file begin and end. */
export interface LineIndex {
  /** Byte offsets of the line's first byte and the byte behind it, two a line. */
  readonly bounds: Float64Array;
  place(index: number): string;
}

/** JSON records, one a line of an open file, read by byte offset. */
export function lineSource(file: string, descriptor: number, { bounds, place }: LineIndex): RecordSource {
  const size = bounds.length / 2;
  const at = (index: number): DataRecord => {
    const [start, end] = [bounds[2 * index]!, bounds[2 * index + 1]!];
    const line = Buffer.allocUnsafe(end - start);
    const count = readSync(descriptor, line, 0, line.length, start);
    const where = place(index);
    if (count < line.length) throw new DataError("the data set was cut while it was in use", { file, path: where });
    return { fields: asRecord(file, where, parseJson(file, where, textOf(file, where, line))), place: where };
  };
  return { file, size, bytes: size === 0 ? 0 : bounds[2 * size - 1]!, at };
}

/** Collects records of a format that cannot be read at any place: in memory, and in a temporary file once they are many bytes. */
export class RecordStore {
  private readonly records: DataRecord[] = [];
  private readonly places: string[] = [];
  private readonly bounds: number[] = [];
  private bytes = 0;
  private descriptor: number | undefined;

  constructor(
    private readonly file: string,
    /** Bytes of JSON that may stay in memory. */
    private readonly limit: number,
  ) {}

  add(record: DataRecord): void {
    const line = Buffer.from(`${JSON.stringify(record.fields)}\n`);
    if (this.descriptor === undefined && this.bytes + line.length > this.limit) this.spill();
    if (this.descriptor === undefined) {
      this.records.push(record);
      this.bytes += line.length;
    } else this.write(line, record.place);
  }

  private spill(): void {
    const path = join(tmpdir(), `proximal-${process.pid}-${Math.random().toString(36).slice(2)}.jsonl`);
    this.descriptor = openSync(path, "wx+");
    try {
      unlinkSync(path); // The system frees it with the process.
    } catch {
      process.once("exit", () => {
        closeSync(this.descriptor!);
        unlinkSync(path);
      });
    }
    this.bytes = 0;
    for (const { fields, place } of this.records) this.write(Buffer.from(`${JSON.stringify(fields)}\n`), place);
    this.records.length = 0;
  }

  private write(line: Buffer, place: string): void {
    writeSync(this.descriptor!, line);
    this.bounds.push(this.bytes, this.bytes + line.length - 1);
    this.bytes += line.length;
    this.places.push(place);
  }

  source(): RecordSource {
    if (this.descriptor === undefined) return memorySource(this.file, this.records, this.bytes);
    const { places } = this;
    return lineSource(this.file, this.descriptor, { bounds: Float64Array.from(this.bounds), place: (index) => places[index]! });
  }
}
