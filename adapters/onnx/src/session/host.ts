import { Worker } from "node:worker_threads";
import { EngineError } from "@proximal/core";
import { CLOSE, fromWire, type Reply, type Request, transferListOf } from "./message.js";

type Method = (...args: never[]) => unknown;
export type MethodName<Engine> = { [K in keyof Engine]: Engine[K] extends Method ? K : never }[keyof Engine] & string;
type Arguments<F> = F extends (...args: infer A) => unknown ? A : never;
type Result<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

export interface WorkerHostOptions {
  /** Plain data for the engine's construction. */
  data?: unknown;
  /** Called for each event that the worker emits. */
  onEvent?: (event: unknown) => void;
}

/** The engine's data lies outside the heap; by default V8 sets 48 MB aside for young objects in every thread. */
const YOUNG_MB = 8;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Calls the methods of an engine that lives in a worker thread (`serve`). Arguments and results are copied, or moved where
 * `transfer` says so; a `SharedArrayBuffer` is no input for the runtime. While no call is open the worker does not keep
 * the process alive. When the worker dies, open and later calls are rejected with an `EngineError`; a native abort takes
 * the whole process with it.
 */
export class WorkerHost<Engine> {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private readonly ended: Promise<void>;
  private nextId = 0;
  private closing = false;
  private failure: Error | undefined;

  constructor(entry: URL, { data, onEvent }: WorkerHostOptions = {}) {
    this.worker = new Worker(entry, { workerData: data, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB }, ...ownFlags() });
    this.worker.unref();
    this.worker.on("message", (reply: Reply) => {
      if ("event" in reply) onEvent?.(reply.event);
      else this.settle(reply);
    });
    this.worker.on("messageerror", (error) =>
      this.fail(new EngineError("a message of the engine's worker cannot be read", { cause: error })),
    );
    this.worker.on("error", (error) => this.fail(new EngineError(`the engine's worker failed: ${describe(error)}`, { cause: error })));
    this.ended = new Promise((resolve) => {
      this.worker.on("exit", (code) => {
        this.fail(new EngineError(`the engine's worker has ended (exit code ${code})`));
        resolve();
      });
    });
  }

  /** Calls a method of the engine. Calls are answered in order. */
  call<K extends MethodName<Engine>>(method: K, ...args: Arguments<Engine[K]>): Promise<Result<Engine[K]>> {
    return this.send(method, args) as Promise<Result<Engine[K]>>;
  }

  private send(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.failure) return Promise.reject(this.failure);
    const request: Request = { id: this.nextId++, method, args };
    return new Promise((resolve, reject) => {
      this.worker.postMessage(request, transferListOf(args));
      this.pending.set(request.id, { resolve, reject });
      this.worker.ref();
    });
  }

  private settle(reply: Exclude<Reply, { event: unknown }>): void {
    const call = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (this.pending.size === 0 && !this.closing) this.worker.unref();
    if ("error" in reply) call?.reject(fromWire(reply.error));
    else call?.resolve(reply.value);
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
  }

  /** Lets the open calls finish, closes the engine and ends the worker; after `timeout` milliseconds it is terminated. */
  async close({ timeout = 30_000 } = {}): Promise<void> {
    if (this.failure) return;
    this.closing = true;
    const closed = this.send(CLOSE, []);
    this.failure = new EngineError("the engine has been closed");
    const timer = setTimeout(() => {
      this.failure = new EngineError(`the engine's worker did not close within ${timeout} ms and was terminated`);
      void this.worker.terminate();
    }, timeout);
    try {
      await closed;
      await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A worker inherits the flags of the process, but `--input-type` is for text that is evaluated and would break a worker that is a file. */
const ownFlags = (): { execArgv?: string[] } => (process.execArgv.some((flag) => flag.startsWith("--input-type")) ? { execArgv: [] } : {});
