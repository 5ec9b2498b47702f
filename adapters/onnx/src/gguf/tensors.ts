import { closeSync, openSync } from "node:fs";
import { CheckpointError, elementCount } from "@proximal/core";
import { readBytes } from "../checkpoint/safetensors.js";
import { widen } from "../checkpoint/widen.js";
import { BLOCK_FORMATS, type BlockType } from "./blocks.js";

const PLAIN = { F32: 4, F16: 2, BF16: 2 } as const;
export type GgufType = keyof typeof PLAIN | BlockType;
export const GGUF_TYPES = [...Object.keys(PLAIN), ...Object.keys(BLOCK_FORMATS)] as GgufType[];
export const isGgufType = (name: string | undefined): name is GgufType => (GGUF_TYPES as (string | undefined)[]).includes(name);

/** How the values of a stored tensor become those of a Hugging Face parameter. */
export type Rearrangement =
  /** Rows of each head go from pairs (i, i + 1) to halves (i, i + D/2): llama.cpp rotates neighbours. */
  | { kind: "unpair"; heads: number }
  /** [out, in] to [in, out]. */
  | { kind: "transpose" };

/** Where a parameter lies in a GGUF file. */
export interface StoredTensor {
  /** The file, of several parts the one that has it. */
  file: string;
  /** Name in the file. */
  name: string;
  type: GgufType;
  /** Row-major, as stored. */
  shape: readonly number[];
  /** Byte where its data begin. */
  offset: number;
  rearrange?: Rearrangement;
}

const isPlain = (type: GgufType): type is keyof typeof PLAIN => type in PLAIN;

/** Bytes of so many values. */
export function storedBytes(type: GgufType, count: number): number {
  if (isPlain(type)) return count * PLAIN[type];
  const { values, bytes } = BLOCK_FORMATS[type];
  return Math.ceil(count / values) * bytes;
}

/** Stored values as float32. */
export function dequantise(bytes: Uint8Array<ArrayBuffer>, type: GgufType): Float32Array<ArrayBuffer> {
  if (isPlain(type)) return widen(bytes, type);
  const format = BLOCK_FORMATS[type];
  const blocks = bytes.length / format.bytes;
  const values = new Float32Array(blocks * format.values);
  for (let block = 0; block < blocks; block++) format.read(bytes, block * format.bytes, values, block * format.values);
  return values;
}

function rearranged(values: Float32Array<ArrayBuffer>, { rearrange, shape }: StoredTensor): Float32Array<ArrayBuffer> {
  if (rearrange === undefined) return values;
  const [rows, width] = [shape[0]!, values.length / shape[0]!];
  const result = new Float32Array(values.length);
  if (rearrange.kind === "transpose") {
    for (let row = 0; row < rows; row++) for (let i = 0; i < width; i++) result[i * rows + row] = values[row * width + i]!;
    return result;
  }
  const size = rows / rearrange.heads;
  for (let row = 0; row < rows; row++) {
    const [head, within] = [Math.floor(row / size), row % size];
    const source = head * size + 2 * (within % (size / 2)) + Math.floor((2 * within) / size);
    result.set(values.subarray(source * width, (source + 1) * width), row * width);
  }
  return result;
}

/** The tensors of one or several GGUF files as float32 parameters. */
export function readStored(tensors: readonly StoredTensor[]): Float32Array<ArrayBuffer>[] {
  const files = new Map<string, number>();
  try {
    return tensors.map((tensor) => {
      if (!files.has(tensor.file)) files.set(tensor.file, open(tensor.file));
      const size = storedBytes(tensor.type, elementCount(tensor.shape));
      const bytes = readBytes(files.get(tensor.file)!, tensor.offset, size);
      if (bytes === undefined) throw new CheckpointError(`tensor ${tensor.name}: the file ends inside it`, { file: tensor.file });
      return rearranged(dequantise(bytes, tensor.type), tensor);
    });
  } finally {
    for (const file of files.values()) closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new CheckpointError(`cannot be opened: ${(cause as Error).message}`, { file: path, cause });
  }
}
