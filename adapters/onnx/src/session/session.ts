import { EngineError } from "@proximal/core";
import { InferenceSession, type Tensor } from "onnxruntime-node";
import type { LoweredGraph } from "../lowering/lower.js";
import { ABORT_OUTPUT } from "../lowering/model.js";
import { executionProvider, isDeviceFailure, type Provider, unavailable } from "./provider.js";

export interface SessionOptions {
  /** Default cpu. */
  provider?: Provider;
  /** Threads within an operator; default: the runtime's choice, one a core. */
  threads?: number;
  /** Idle threads spin; default true. Off where several sessions share the cores. */
  spinning?: boolean;
  /** Off by default: the pattern costs 40 % more memory in a training graph and saves no time. */
  memoryPattern?: boolean;
  /** By default "all"; "basic" for float64, where the runtime would move constant factors into products as float32 numbers. */
  optimization?: "disabled" | "basic" | "extended" | "all";
  /** Which GPU; default 0. */
  deviceId?: number;
  /** Where results without a preallocated tensor are put; default host. device: WebGPU alone, and preallocated tensors are ignored. */
  outputLocation?: "host" | "device";
}

/** What the binding throws when it meets the sequence, after the graph has run and before it copies any output. */
const ABORT_MESSAGE = "Non tensor type is temporarily not supported.";

export type Feeds = Readonly<Record<string, Tensor>>;
/** null: a new tensor. A tensor: the result is written into it, which may be one that is fed. */
export type Fetches = Readonly<Record<string, Tensor | null>>;

/** A loaded graph. `run` blocks its thread, so sessions live in a worker. */
export class Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  private readonly known: ReadonlySet<string>;
  private live = true;
  private lastRun: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly session: InferenceSession,
    private readonly abortOutput: boolean,
  ) {
    this.inputNames = session.inputNames;
    this.outputNames = session.outputNames.filter((name) => name !== ABORT_OUTPUT);
    this.known = new Set(this.outputNames);
  }

  static async create(graph: Pick<LoweredGraph, "bytes" | "abortOutput" | "dtype">, options: SessionOptions = {}): Promise<Session> {
    const { provider = "cpu", threads, spinning = true, memoryPattern = false, deviceId = 0, outputLocation } = options;
    const { optimization = graph.dtype === "float64" ? "basic" : "all" } = options;
    const executionProviders = [executionProvider(provider, deviceId)];
    try {
      const session = await InferenceSession.create(graph.bytes, {
        executionProviders,
        graphOptimizationLevel: optimization,
        enableMemPattern: memoryPattern,
        ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
        ...(outputLocation === "device" ? { preferredOutputLocation: "gpu-buffer" as const } : {}),
        logSeverityLevel: 4, // failures come as errors
        extra: { session: { intra_op: { allow_spinning: spinning ? "1" : "0" } } },
      });
      return new Session(session, graph.abortOutput);
    } catch (error) {
      const message = (error as Error).message;
      if (provider !== "cpu" && isDeviceFailure(message)) throw unavailable(provider, error);
      throw new EngineError(`the runtime refuses the graph: ${message}`, { cause: error });
    }
  }

  /**
   * Runs the graph. Without `fetches` all outputs come back as new tensors. A preallocated output is written in place;
   * if every fetch is preallocated and the graph has the abort output, nothing is copied.
   *
   * A tensor that is both fed and fetched is overwritten while the graph runs: its new value must depend on everything
   * that still reads the old one.
   */
  async run(feeds: Feeds, fetches: Fetches | readonly string[] = this.outputNames): Promise<Record<string, Tensor>> {
    if (!this.live) throw new EngineError("the session has been released");
    const wanted: Record<string, Tensor | null> = isList(fetches)
      ? Object.fromEntries(fetches.map((name) => [name, null]))
      : { ...fetches };
    this.check(feeds, wanted);
    const result = this.execute(feeds, wanted);
    this.lastRun = result.catch(() => undefined);
    return result;
  }

  private async execute(feeds: Feeds, fetches: Record<string, Tensor | null>): Promise<Record<string, Tensor>> {
    const abort = this.abortOutput && Object.values(fetches).every((tensor) => tensor !== null);
    try {
      const results = await this.session.run(feeds, abort ? { [ABORT_OUTPUT]: null, ...fetches } : fetches);
      return Object.fromEntries(Object.keys(fetches).map((name) => [name, fetches[name] ?? (results[name] as Tensor)]));
    } catch (error) {
      const { message } = error as Error;
      if (abort && message === ABORT_MESSAGE) return fetches as Record<string, Tensor>;
      throw new EngineError(`the graph failed: ${message}`, { cause: error });
    }
  }

  private check(feeds: Feeds, fetches: Fetches): void {
    const missing = this.inputNames.filter((name) => feeds[name] === undefined);
    if (missing.length > 0) throw new EngineError(`inputs are missing: ${missing.join(", ")}`, { accepted: this.inputNames });
    const unknown = Object.keys(fetches).filter((name) => !this.known.has(name));
    if (unknown.length > 0) throw new EngineError(`the graph has no output ${unknown.join(", ")}`, { accepted: this.outputNames });
  }

  /** Gives the memory back, once a run that has begun is over. */
  async release(): Promise<void> {
    if (!this.live) return;
    this.live = false;
    await this.lastRun;
    await this.session.release();
  }
}

const isList = (fetches: Fetches | readonly string[]): fetches is readonly string[] => Array.isArray(fetches);
