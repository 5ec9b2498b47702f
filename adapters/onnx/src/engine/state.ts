import { crc32 } from "node:zlib";
import { EngineError, elementCount } from "@proximal/core";
import { Tensor } from "onnxruntime-node";
import type { ParameterSpec } from "../model/index.js";
import { gradientName } from "../update/graphs.js";
import { momentName } from "../update/optimizer.js";

const tensorOf = (data: Float32Array, shape: readonly number[]): Tensor => new Tensor("float32", data, shape);
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
/** The array, or a copy where it is a part of a larger buffer: what moves to another thread takes its buffer along. */
const withOwnBuffer = (array: Float32Array): Float32Array<ArrayBuffer> =>
  (array.byteLength === array.buffer.byteLength ? array : array.slice()) as Float32Array<ArrayBuffer>;
export const valuesOf = (tensor: Tensor): Float32Array => tensor.data as Float32Array;

/** Values of each parameter that the fingerprint reads. */
const FINGERPRINT_VALUES = 256;

/** Parameters, moments, accumulated gradients and snapshots: float32, in the thread that runs the graphs. Frozen parameters have nothing beside their values. */
export class TrainingState {
  private readonly tensors = new Map<string, Tensor>();
  private checksum: number | undefined;
  private readonly snapshots = new Map<string, Map<string, Tensor>>();

  /** `table`: what is trained. */
  constructor(
    readonly table: readonly ParameterSpec[],
    readonly frozen: readonly ParameterSpec[] = [],
  ) {}

  /** Every parameter, trained or not. */
  get parameters(): readonly ParameterSpec[] {
    return [...this.table, ...this.frozen];
  }

  /** A tensor of the state; moments and gradients start as zeros on first use. */
  get(name: string): Tensor | undefined {
    const known = this.tensors.get(name);
    if (known !== undefined) return known;
    const spec = this.specOf(name);
    if (spec === undefined) return undefined;
    const made = tensorOf(new Float32Array(elementCount(spec.shape)), spec.shape);
    this.tensors.set(name, made);
    return made;
  }

  private specOf(name: string): ParameterSpec | undefined {
    const names = (parameter: string) => [momentName("m", parameter), momentName("v", parameter), gradientName(parameter)];
    return this.table.find((spec) => names(spec.name).includes(name));
  }

  values(name: string): Float32Array {
    const tensor = this.get(name);
    if (tensor === undefined) throw new EngineError(`the training state has no tensor "${name}"`);
    return valuesOf(tensor);
  }

  set(name: string, data: Float32Array, shape: readonly number[]): void {
    const known = this.tensors.get(name);
    if (known === undefined) this.tensors.set(name, tensorOf(data, shape));
    else valuesOf(known).set(data);
  }

  /** The accumulators that exist. */
  get gradients(): Tensor[] {
    return this.table.flatMap(({ name }) => this.tensors.get(gradientName(name)) ?? []);
  }

  clearGradients(): void {
    for (const { name } of this.table) this.values(gradientName(name)).fill(0);
  }

  /** Gives the accumulators' memory back. */
  dropGradients(): void {
    for (const { name } of this.table) this.tensors.delete(gradientName(name));
  }

  /** The accumulated gradients by parameter; the state has none then. */
  takeGradients(): Record<string, Float32Array<ArrayBuffer>> {
    const taken = Object.fromEntries(this.table.map(({ name }) => [name, withOwnBuffer(this.values(gradientName(name)))]));
    this.dropGradients();
    return taken;
  }

  /** The arrays are the trained parameters from now on; those of before become accumulators. */
  replaceParameters(values: Readonly<Record<string, Float32Array>>): void {
    for (const { name, shape } of this.table) {
      const before = this.values(name);
      this.tensors.set(name, tensorOf(values[name]!, shape));
      this.tensors.set(gradientName(name), tensorOf(before, shape));
    }
  }

  /** Gives the optimizer's memory back. */
  dropMoments(): void {
    for (const { name } of this.table) for (const kind of ["m", "v"] as const) this.tensors.delete(momentName(kind, name));
  }

  /** CRC-32 of the frozen values, all of them in order, hexadecimal. They never change. */
  get frozenChecksum(): string {
    this.checksum ??= this.frozen.reduce((sum, { name }) => crc32(bytesOf(this.values(name)), sum), 0);
    return this.checksum.toString(16).padStart(8, "0");
  }

  /** CRC-32 over evenly spaced values of every trained parameter. */
  get fingerprint(): number {
    return this.table.reduce((sum, { name }) => {
      const values = this.values(name);
      const stride = Math.max(1, Math.floor(values.length / FINGERPRINT_VALUES));
      const sample = new Float32Array(Math.ceil(values.length / stride));
      for (let i = 0; i < sample.length; i++) sample[i] = values[i * stride]!;
      return crc32(bytesOf(sample), sum);
    }, 0);
  }

  get snapshotNames(): string[] {
    return [...this.snapshots.keys()];
  }

  /** Keeps a copy of the trained parameters. */
  keep(snapshot: string, values: (parameter: string) => Float32Array = (name) => this.values(name).slice()): void {
    this.snapshots.set(snapshot, new Map(this.table.map(({ name, shape }) => [name, tensorOf(values(name), shape)])));
  }

  forgetSnapshots(): void {
    this.snapshots.clear();
  }

  snapshot(name: string): ReadonlyMap<string, Tensor> {
    const known = this.snapshots.get(name);
    if (known === undefined) throw new EngineError(`there is no snapshot "${name}"`, { accepted: this.snapshotNames });
    return known;
  }
}
