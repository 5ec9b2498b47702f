import { Tensor } from "onnxruntime-node";
import type { Session, SessionFeeds } from "../session/index.js";
import { HIDDEN } from "./attention.js";
import type { Sequence } from "./batches.js";
import { floats, ints } from "./tensors.js";

/** Tokens, padding included, that one prefill run takes: its attention scores grow with rows times length squared. */
const RUN_TOKENS = 4096;

/** Cached sequences, ready for `decodeGraph`: `keys.i`, `values.i` [P, Hkv, L, D] and `bias` [P, L]; and the prefixes' log-probs. */
export interface Prefilled {
  state: Record<string, Tensor>;
  /** Per sequence. */
  prefixLogp: Float64Array[];
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
      prefixLogp.push(Float64Array.from({ length: prefixLength }, (_, x) => data![x * part.length + p]!));
    });
  }
  const state = Object.fromEntries(Object.keys(parts[0]!).map((name) => [name, join(parts.map((part) => part[name]!))]));
  const visible = (i: number) => (i % length < sequences[Math.floor(i / length)]!.tokens.length - 1 ? 0 : HIDDEN);
  return { state: { ...state, bias: floats([sequences.length, length], visible) }, prefixLogp };
}
