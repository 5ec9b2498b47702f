import { Tensor } from "onnxruntime-node";

/** The beginning of a response with its prompt, and the keys and values of its tokens. */
export interface KeptSequence {
  tokens: Int32Array;
  /** [1, Hkv, tokens, D] by cache name. */
  cache: Readonly<Record<string, Tensor>>;
}

/** What a sequence shares with a kept one: their first `length` tokens. */
export interface KnownBeginning {
  kept: KeptSequence;
  length: number;
}

const bytesOf = ({ cache }: KeptSequence): number =>
  Object.values(cache).reduce((sum, { size }) => sum + size * Float32Array.BYTES_PER_ELEMENT, 0);

interface Entry {
  prompt: string;
  key: number;
  sequence: KeptSequence;
}

/** Responses that calls of one scope may go on from (`DecodeOptions.keep`), by prompt and by the key of their noise. */
export class KeptSequences {
  private scope: string | undefined;
  private readonly prompts = new Map<string, Map<number, Entry>>();
  /** From the oldest to the newest. */
  private readonly entries = new Set<Entry>();
  private bytes = 0;

  /** `limit`: bytes; where they do not suffice, the oldest are forgotten. */
  constructor(private readonly limit = Number.POSITIVE_INFINITY) {}

  /** Forgets what another scope kept. */
  open(scope: string): void {
    if (scope !== this.scope) this.clear();
    this.scope = scope;
  }

  clear(): void {
    this.prompts.clear();
    this.entries.clear();
    this.bytes = 0;
  }

  /** The longest beginning of `tokens` that is known, without their last, which decoding takes. */
  find(prompt: string, tokens: Int32Array): KnownBeginning | undefined {
    let best: KnownBeginning | undefined;
    for (const { sequence: kept } of this.prompts.get(prompt)?.values() ?? []) {
      const most = Math.min(kept.tokens.length, tokens.length - 1);
      let length = 0;
      while (length < most && kept.tokens[length] === tokens[length]) length++;
      if (length > (best?.length ?? 0)) best = { kept, length };
    }
    return best;
  }

  /** Replaces what was kept of the same response. */
  put(prompt: string, key: number, sequence: KeptSequence): void {
    const responses = this.prompts.get(prompt) ?? new Map<number, Entry>();
    this.prompts.set(prompt, responses);
    const before = responses.get(key);
    if (before !== undefined) this.forget(before);
    const entry = { prompt, key, sequence };
    responses.set(key, entry);
    this.entries.add(entry);
    this.bytes += bytesOf(sequence);
    for (const oldest of this.entries) {
      if (this.bytes <= this.limit) break;
      this.forget(oldest);
    }
  }

  private forget(entry: Entry): void {
    this.entries.delete(entry);
    this.prompts.get(entry.prompt)!.delete(entry.key);
    this.bytes -= bytesOf(entry.sequence);
  }
}

/** Slots of a cache that hold consecutive tokens: first slot and number. */
export type Run = readonly [start: number, count: number];

/** Where consecutive tokens of one sequence lie: in a row of tensors [R, Hkv, S, D] by cache name. */
export interface Piece {
  tensors: Readonly<Record<string, Tensor>>;
  row: number;
  runs: readonly Run[];
}

/** The tokens of each sequence's pieces one after the other, as far as there are slots: [P, Hkv, slots, D] by cache name. */
export function layOut(names: readonly string[], sequences: readonly (readonly Piece[])[], slots: number): Record<string, Tensor> {
  const laid: Record<string, Tensor> = {};
  for (const name of names) {
    const [, groups, , width] = sequences[0]![0]!.tensors[name]!.dims as [number, number, number, number];
    const values = new Float32Array(sequences.length * groups * slots * width);
    sequences.forEach((pieces, p) => {
      let known = 0;
      for (const { tensors, row, runs } of pieces) {
        const { data, dims } = tensors[name]!;
        for (const [start, length] of runs) {
          const taken = Math.min(length, slots - known);
          for (let group = 0; group < groups; group++) {
            const from = ((row * groups + group) * dims[2]! + start) * width;
            values.set((data as Float32Array).subarray(from, from + taken * width), ((p * groups + group) * slots + known) * width);
          }
          known += taken;
        }
      }
    });
    laid[name] = new Tensor("float32", values, [sequences.length, groups, slots, width]);
  }
  return laid;
}
