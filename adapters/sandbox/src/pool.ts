import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type BlockResult, DEFAULT_LIMITS, type Limits } from "./limits.js";
import type { Done, Job } from "./worker.js";

const WORKER = new URL("./worker.js", import.meta.url);
/** Node's own heap of a thread, MiB: what the interpreter hands out lies there. */
const HEAP_MEGABYTES = 256;

/** Parts in which a program's time is counted. */
const SLICES = 10;

interface Waiting {
  job: Job;
  resolve(results: BlockResult[]): void;
}

/** Threads with interpreters. A thread that is too slow or broken is ended and replaced; idle threads keep no process alive. */
export class Sandbox {
  private readonly idle: Worker[] = [];
  private readonly queue: Waiting[] = [];
  private running = 0;

  constructor(private readonly size = Math.max(1, Math.min(4, availableParallelism() - 1))) {}

  /**
   * Runs a program's blocks one after the other in a fresh interpreter; one result a block. Never throws: what goes wrong is in
   * the results, and blocks behind one that ended the interpreter have its reason.
   */
  run(blocks: readonly string[], limits: Partial<Limits> = {}): Promise<BlockResult[]> {
    if (blocks.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      this.queue.push({ job: { blocks, limits: { ...DEFAULT_LIMITS, ...limits } }, resolve });
      this.next();
    });
  }

  private next(): void {
    while (this.running < this.size && this.queue.length > 0) void this.serve(this.queue.shift()!);
  }

  private async serve({ job, resolve }: Waiting): Promise<void> {
    this.running++;
    const worker = this.idle.pop() ?? new Worker(WORKER, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES }, env: {}, argv: [] });
    worker.ref();
    const { results, crashed } = await this.answer(worker, job);
    if (crashed) void worker.terminate();
    else {
      worker.unref();
      this.idle.push(worker);
    }
    const last = results.at(-1);
    resolve(job.blocks.map((_, i) => results[i] ?? { ok: false, output: last?.output ?? "", stopped: last?.stopped ?? "crash" }));
    this.running--;
    this.next();
  }

  private answer(worker: Worker, { blocks, limits }: Job): Promise<Done> {
    return new Promise((resolve) => {
      const end = (done: Done) => {
        clearInterval(clock);
        for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
        resolve(done);
      };
      const fail = (stopped: "time" | "crash", why: string) => end({ results: [{ ok: false, output: why, stopped }], crashed: true });
      // In slices: a process that was stopped for a while has lost one of them, not the whole time.
      let slices = 0;
      const tick = () => ++slices >= SLICES && fail("time", `InternalError: ended after ${limits.seconds} s`);
      const clock = setInterval(tick, (limits.seconds * 1000) / SLICES);
      worker.once("message", end);
      worker.once("error", (error) => fail("crash", `InternalError: ${error.message}`));
      worker.once("exit", () => fail("crash", "InternalError: the interpreter ended"));
      worker.postMessage({ blocks, limits } satisfies Job);
    });
  }

  /** Ends the idle threads; running programs finish. */
  async close(): Promise<void> {
    await Promise.all(this.idle.splice(0).map((worker) => worker.terminate()));
  }
}

let shared: Sandbox | undefined;
/** The process's threads for untrusted code. */
export const sandbox = (): Sandbox => {
  shared ??= new Sandbox();
  return shared;
};
