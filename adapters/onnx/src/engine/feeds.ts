import type { FeedValue } from "@proximal/core";
import { EngineError } from "@proximal/core";
import type { ElementType, TensorSpec } from "../lowering/index.js";
import type { WireTensor } from "./protocol.js";

/** int64 as pairs of 32-bit words: far faster than through BigInt. */
function int64(data: ArrayLike<number>): BigInt64Array<ArrayBuffer> {
  const words = new Int32Array(2 * data.length);
  for (let i = 0; i < data.length; i++) {
    words[2 * i] = data[i]!;
    words[2 * i + 1] = data[i]! < 0 ? -1 : 0;
  }
  return new BigInt64Array(words.buffer);
}

function encode(type: ElementType, { shape, data }: FeedValue): WireTensor {
  if (type === "float32") return { type, shape, data: Float32Array.from(data) };
  if (type === "int64") return { type, shape, data: int64(data) };
  if (type === "bool") return { type, shape, data: Uint8Array.from(data) };
  throw new EngineError(`a graph of ${type} inputs is not fed from the host`);
}

export const scalar = (value: number): FeedValue => ({ shape: [], data: Float64Array.of(value) });

/** What of `values` the graph reads, in its types. */
export function encodeFeeds(inputs: readonly TensorSpec[], values: Readonly<Record<string, FeedValue>>): Record<string, WireTensor> {
  const feeds: Record<string, WireTensor> = {};
  for (const { name, type } of inputs) {
    const value = values[name];
    if (value !== undefined) feeds[name] = encode(type, value);
  }
  return feeds;
}
