import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EngineError, Random } from "@proximal/core";
import { Tensor } from "onnxruntime-node";
import { ADAPTER_FOLDER, mergedValues, writeAdapter } from "../checkpoint/adapter.js";
import { type BaseModel, readSource, readTraining, writeConfig, writeParameters, writeTraining } from "../checkpoint/files.js";
import { writeModelFile } from "../export/model-file.js";
import { decodeRun, type Ending, KeptSequences } from "../generation/index.js";
import { initialValues, parameterTable, parameterTables, VALUE_HEAD } from "../model/index.js";
import { Session, SessionCache, transfer, transferArrays } from "../session/index.js";
import { gradientName } from "../update/graphs.js";
import { DeviceCopies } from "./device.js";
import {
  type DecodeCall,
  type DecodeStep,
  type EngineData,
  type ExportCall,
  type GraphReference,
  type HostState,
  NEXT,
  type Role,
  type RunRequest,
  type SessionGraph,
  type WireTensor,
} from "./protocol.js";
import { TrainingState } from "./state.js";

/**
 * Owns the training state and the sessions, in a thread of its own. Its methods take and return what crosses threads;
 * graphs come from the host, each once.
 */
export class Engine {
  private readonly graphs = new Map<string, SessionGraph>();
  private readonly sessions = new SessionCache<Role>();
  private readonly state: TrainingState;
  /** The decoding that is not at its end. */
  private decoding: ReturnType<typeof decodeRun> | undefined;
  private readonly device: DeviceCopies | undefined;
  private readonly kept: KeptSequences;
  /** Arrays of other workers' gradients that have been added. */
  private readonly spare: Record<string, Float32Array<ArrayBuffer>>[] = [];
  /** A run failed while it could have written parameters. */
  private damaged = false;

  constructor(private readonly data: EngineData) {
    const { config, lora, checkpoint, seed, session } = data;
    this.device = session.provider === "webgpu" ? new DeviceCopies(session) : undefined;
    const { trained, frozen } = parameterTables(config, data);
    this.state = new TrainingState(trained, frozen);
    this.kept = new KeptSequences(data.keptBytes);
    const random = new Random(seed);
    const isNew = (name: string) => isValueHead(name) || (lora !== undefined && !frozen.some((spec) => spec.name === name));
    const stored = checkpoint === undefined ? undefined : readSource(checkpoint, this.state.parameters, isNew);
    for (const spec of this.state.parameters) {
      this.state.set(spec.name, stored?.get(spec.name) ?? initialValues(spec, config, random), spec.shape);
    }
  }

  /** Another number once trained parameters have changed. */
  fingerprint(): number {
    return this.state.fingerprint;
  }

  /** Answers once the parameters are there. */
  ready(): void {}

  /** Keeps a graph that comes with its bytes for later runs. */
  private keep({ key, graph }: GraphReference): void {
    if (graph !== undefined) this.graphs.set(key, graph);
  }

  private session(role: Role, alone: boolean, reference: GraphReference): Promise<Session> {
    this.keep(reference);
    const { key } = reference;
    const graph = this.graphs.get(key);
    if (graph === undefined) throw new EngineError(`the graph ${key} has not been sent`);
    const { session, sharedThreads = session.threads } = this.data;
    const threads = alone ? session.threads : sharedThreads;
    return this.sessions.get(role, `${threads} ${key}`, () => Session.create(graph, { ...session, threads }));
  }

  /** Runs a graph. Inputs that are not fed are tensors of the training state. */
  async run({ role, alone, graph, feeds, results, snapshot }: RunRequest): Promise<Record<string, WireTensor>> {
    const session = await this.session(role, alone, graph);
    const written = session.outputNames.filter((name) => name.startsWith(NEXT));
    // Before an update needs the memory; what it changes makes them wrong.
    if (written.length > 0) this.kept.clear();
    const parameters = snapshot === undefined ? undefined : this.state.snapshot(snapshot);
    const inputs: Record<string, Tensor> = {};
    for (const name of session.inputNames) {
      const fed = feeds[name];
      const owned = fed === undefined ? (parameters?.get(name) ?? this.state.get(name)) : undefined;
      if (fed !== undefined) inputs[name] = fromWire(fed);
      else if (owned !== undefined) inputs[name] = await this.placed(owned);
    }
    const fetches: Record<string, Tensor> = {};
    for (const [name, { type, shape }] of Object.entries(results)) fetches[name] = allocate(type, shape);
    const replaced = written.map((name) => this.state.get(name.slice(NEXT.length))!);
    for (const [i, name] of written.entries()) fetches[name] = await this.placed(replaced[i]!);

    this.requireIntact();
    this.damaged = written.length > 0;
    await session.run(inputs, fetches);
    this.damaged = false;
    this.device?.wrote(replaced);
    const wire = Object.fromEntries(Object.keys(results).map((name) => [name, toWire(fetches[name]!)]));
    return transfer(
      wire,
      Object.values(wire).map(({ data }) => data.buffer),
    );
  }

  /** Decodes up to the end, or up to where stop strings are to be looked for. */
  async decode({ job, graphs, maxRows, alone, positions, keep, last }: DecodeCall): Promise<DecodeStep> {
    // All at once: a job may end before it needs the others.
    for (const graph of Object.values(graphs)) this.keep(graph);
    this.requireIntact();
    if (keep !== undefined) this.kept.open(keep);
    const memory = keep === undefined ? {} : { kept: this.kept, last };
    const parameters: Record<string, Tensor> = {};
    for (const { name } of this.state.parameters) parameters[name] = await this.placed(this.state.get(name)!);
    this.decoding = decodeRun(job, {
      session: (role) => this.session(role, alone, graphs[role]),
      parameters,
      maxRows,
      positions,
      ...memory,
    });
    return this.decodeFurther([]);
  }

  /** Goes on with the decoding that was begun, without the rows that end. */
  async decodeFurther(endings: readonly Ending[]): Promise<DecodeStep> {
    const { decoding } = this;
    if (decoding === undefined) throw new EngineError("no decoding has been begun");
    const { done, value } = await decoding.next(endings);
    if (!done) return { progress: value };
    this.decoding = undefined;
    return { outcome: value };
  }

  private requireIntact(): void {
    if (!this.damaged) return;
    throw new EngineError("an update failed while it wrote parameters: they are no longer those of any step", {
      hint: "restore a checkpoint",
    });
  }

  /** The tensor as a run takes it. */
  private async placed(tensor: Tensor): Promise<Tensor> {
    return this.device === undefined ? tensor : this.device.of(tensor);
  }

  clearGradients(): void {
    this.device?.forget(this.state.gradients);
    this.state.clearGradients();
  }

  dropGradients(): void {
    this.device?.forget(this.state.gradients);
    this.state.dropGradients();
    this.spare.length = 0;
  }

  /** Moves the accumulated gradients out. */
  giveGradients(): Record<string, Float32Array<ArrayBuffer>> {
    return transferArrays(this.state.takeGradients());
  }

  /** Adds another worker's gradients to the accumulated ones. */
  addGradients(gradients: Record<string, Float32Array<ArrayBuffer>>): void {
    for (const [name, values] of Object.entries(gradients)) {
      const sum = this.state.values(gradientName(name));
      for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
    }
    this.spare.push(gradients);
  }

  /** The trained parameters for another worker, in arrays that came from it where there are any. */
  lendParameters(): Record<string, Float32Array<ArrayBuffer>> {
    const spare = this.spare.pop();
    const copy = (name: string) => {
      const values = this.state.values(name);
      const array = spare?.[name] ?? new Float32Array(values.length);
      array.set(values);
      return array;
    };
    return transferArrays(Object.fromEntries(this.state.table.map(({ name }) => [name, copy(name)])));
  }

  /** Takes another worker's trained parameters over. */
  takeParameters(values: Record<string, Float32Array<ArrayBuffer>>): void {
    this.state.replaceParameters(values);
    this.kept.clear();
  }

  /** Accumulated gradients of the named parameters. */
  async gradients(names: readonly string[]): Promise<Record<string, Float32Array>> {
    await this.device?.pull();
    return Object.fromEntries(names.map((name) => [name, this.state.values(gradientName(name)).slice()]));
  }

  /** Current values of the named parameters. */
  async parameters(names: readonly string[]): Promise<Record<string, Float32Array>> {
    await this.device?.pull();
    return Object.fromEntries(names.map((name) => [name, this.state.values(name).slice()]));
  }

  async snapshot(name: string): Promise<void> {
    this.requireIntact();
    await this.device?.pull();
    this.state.keep(name);
  }

  async save(folder: string, host: HostState): Promise<void> {
    this.requireIntact();
    await this.device?.pull();
    writeTraining(folder, this.data.config, this.state, host, this.base());
  }

  /** Parameters and snapshots alone: the moments stay with the worker that takes the steps. */
  restoreCopy(folder: string): void {
    this.restore(folder);
    this.state.dropMoments();
  }

  restore(folder: string): HostState {
    const host = readTraining(folder, this.state, this.base());
    this.device?.forgetAll();
    this.kept.clear();
    this.damaged = false;
    return host;
  }

  /** The frozen parameters that checkpoints refer to. */
  private base(): BaseModel | undefined {
    const { lora, checkpoint } = this.data;
    return lora === undefined ? undefined : { checkpoint: checkpoint?.path, crc32: this.state.frozenChecksum };
  }

  /** Model and config, without the value head; of low-rank updates the merged model, and the updates alone in a folder of it. */
  async export(folder: string, { format, tokens }: ExportCall): Promise<void> {
    this.requireIntact();
    await this.device?.pull();
    const { config, lora, checkpoint } = this.data;
    const { frozen } = this.state;
    const own = (name: string) => this.state.values(name);
    const values = lora === undefined ? own : mergedValues(frozen, lora, own);
    mkdirSync(folder, { recursive: true });
    if (format === "onnx") {
      writeConfig(folder, config, { ...tokens, ...writeModelFile(folder, config, values) });
      return;
    }
    writeParameters(folder, config, parameterTable(config), values, tokens);
    if (lora !== undefined) writeAdapter(join(folder, ADAPTER_FOLDER), frozen, lora, checkpoint?.path, own);
  }

  async close(): Promise<void> {
    await this.sessions.release();
    await this.device?.release();
  }
}

const isValueHead = (name: string): boolean => Object.values<string>(VALUE_HEAD).includes(name);

const arrays = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array } as const;

function allocate(type: WireTensor["type"], shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return new Tensor(type, new arrays[type](size), shape);
}

const fromWire = ({ type, data, shape }: WireTensor): Tensor => new Tensor(type, data, shape);
const toWire = (tensor: Tensor): WireTensor => ({ type: tensor.type, shape: tensor.dims, data: tensor.data }) as WireTensor;
