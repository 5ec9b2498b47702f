import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { CheckpointError } from "@proximal/core";
import { widen } from "./widen.js";

/** The format of https://github.com/huggingface/safetensors: u64 header length, JSON header, row-major data. */
const HEADER_LIMIT = 100_000_000;
/** Bytes that one system call moves: some platforms take no more than 2 GiB. */
const CHUNK = 1 << 30;
/** Key of the header's metadata that holds a CRC-32 of each tensor, as JSON. */
const CHECKSUMS = "crc32";
const AGAIN = "the file is damaged or cut off: download or copy it again";

export interface NamedTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array;
}

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
export type StoredType = keyof typeof BYTES;

interface Entry {
  dtype: StoredType;
  shape: number[];
  data_offsets: [number, number];
}

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(CHUNK, bytes.length - at));
}

/** Bytes of an open file; `undefined` when it ends before. */
export function readBytes(file: number, from: number, size: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    const read = readSync(file, bytes, at, Math.min(CHUNK, size - at), from + at);
    if (read === 0) return undefined;
    at += read;
  }
  return bytes;
}

/** Makes a rename durable; Windows has no such call. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Writes a file so that its name never stands for half of it. */
export function writeWhole(path: string, write: (file: number) => void): void {
  const temporary = `${path}.${process.pid}.partial`;
  const file = openSync(temporary, "w");
  try {
    write(file);
    fsyncSync(file);
  } catch (cause) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw new CheckpointError(`cannot write: ${(cause as Error).message}`, { file: path, cause });
  }
  closeSync(file);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Stores float32 tensors with a checksum of each. */
export function writeSafetensors(path: string, tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>> = {}): void {
  let end = 0;
  const header: Record<string, unknown> = {};
  const checksums: Record<string, number> = {};
  for (const { name, shape, data } of tensors) {
    checksums[name] = crc32(bytesOf(data));
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = JSON.stringify({ __metadata__: { format: "pt", ...metadata, [CHECKSUMS]: JSON.stringify(checksums) }, ...header });
  const length = Math.ceil(Buffer.byteLength(text) / 8) * 8;
  const head = Buffer.alloc(8 + length, " ");
  head.writeBigUInt64LE(BigInt(length));
  head.write(text, 8);
  writeWhole(path, (file) => {
    writeAll(file, head);
    for (const { data } of tensors) writeAll(file, bytesOf(data));
  });
}

/** An open file. Every error is a `CheckpointError` that names the file and the tensor. */
export class SafetensorsFile {
  private constructor(
    readonly path: string,
    private readonly file: number,
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly start: number,
    readonly metadata: Readonly<Record<string, string>>,
    private readonly checksums: Readonly<Record<string, number>>,
  ) {}

  static open(path: string): SafetensorsFile {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch (cause) {
      throw new CheckpointError(`cannot be opened: ${(cause as Error).message}`, { file: path, cause });
    }
    try {
      return SafetensorsFile.parse(path, file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  private static parse(path: string, file: number): SafetensorsFile {
    const fail = (message: string, details = {}) => new CheckpointError(message, { file: path, ...details });
    const total = statSync(path).size;
    const prefix = Buffer.alloc(8);
    if (total < 8 || readSync(file, prefix) < 8) throw fail(`no safetensors file: it has ${total} bytes`, { hint: AGAIN });
    const length = Number(prefix.readBigUInt64LE());
    if (length > HEADER_LIMIT || 8 + length > total)
      throw fail(`truncated, or no safetensors file: its header would have ${length} bytes`, { hint: AGAIN });
    const head = Buffer.alloc(length);
    readSync(file, head, 0, length, 8);
    let header: Record<string, unknown>;
    try {
      header = JSON.parse(head.toString("utf8")) as Record<string, unknown>;
    } catch (cause) {
      throw fail("the header is no JSON", { cause, hint: AGAIN });
    }
    const { __metadata__: metadata = {}, ...rest } = header as { __metadata__?: Record<string, string> };
    const entries = new Map(Object.entries(rest as unknown as Record<string, Entry>));
    const needed = 8 + length + Math.max(0, ...[...entries.values()].map((entry) => entry.data_offsets[1]));
    if (needed > total) throw fail(`truncated: ${total} bytes of ${needed}`, { hint: AGAIN });
    const checksums = metadata[CHECKSUMS] === undefined ? {} : (JSON.parse(metadata[CHECKSUMS]) as Record<string, number>);
    return new SafetensorsFile(path, file, entries, 8 + length, metadata, checksums);
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  shapeOf(name: string): readonly number[] {
    return this.entries.get(name)?.shape ?? [];
  }

  /** A tensor as float32. It must have the given shape. */
  read(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
    const fail = (message: string, details = {}) => new CheckpointError(`tensor ${name}: ${message}`, { file: this.path, ...details });
    const entry = this.entries.get(name);
    if (entry === undefined) throw fail("missing");
    const { dtype, data_offsets: offsets } = entry;
    if (!(dtype in BYTES))
      throw fail("unsupported type", {
        given: dtype,
        accepted: Object.keys(BYTES),
        hint: "quantised parameters are read from GGUF files alone",
      });
    if (entry.shape.join() !== shape.join())
      throw fail("another shape", {
        given: `[${entry.shape.join(", ")}]`,
        accepted: `[${shape.join(", ")}]`,
        hint: "the shape follows from config.json; are both of the same model?",
      });
    const size = shape.reduce((a, b) => a * b, 1) * BYTES[dtype];
    if (offsets[1] - offsets[0] !== size) throw fail(`${offsets[1] - offsets[0]} bytes of data instead of ${size}`);
    const bytes = readBytes(this.file, this.start + offsets[0], size);
    if (bytes === undefined) throw fail("the file ends inside it");
    const expected = this.checksums[name];
    if (expected !== undefined && crc32(bytes) !== expected) throw fail("its data do not match its checksum", { hint: AGAIN });
    return widen(bytes, dtype);
  }

  close(): void {
    closeSync(this.file);
  }
}
