import { type MethodName, transferArrays } from "../session/index.js";
import type { Engine } from "./engine.js";

type Method<K extends MethodName<Engine>> = Engine[K] extends (...args: infer A) => infer R ? [args: A, result: Awaited<R>] : never;

/** The engine as the host sees it: in a worker, or (in tests) in the same thread. */
export interface EngineClient {
  call<K extends MethodName<Engine>>(method: K, ...args: Method<K>[0]): Promise<Method<K>[1]>;
  close(): Promise<void>;
}

/** One of the engines that work at the same time. */
export interface Worker {
  index: number;
  /** No other works meanwhile: it has all threads. */
  alone: boolean;
}

/** The engine that owns the training state, when it works alone. */
export const OWNER: Worker = { index: 0, alone: true };

/**
 * Data-parallel work on the CPU: one engine owns the training state, the others hold copies of the parameters. Each takes
 * some of the rows. Gradients are added up in the owner, which takes the optimizer step; the copies get its parameters before
 * they are used again.
 */
export class EngineWorkers implements EngineClient {
  private readonly owner: EngineClient;
  private readonly copies: readonly EngineClient[];
  /** The owner's parameters have changed since the copies got them. */
  private stale = false;

  constructor(private readonly all: readonly [EngineClient, ...EngineClient[]]) {
    [this.owner, ...this.copies] = all;
  }

  get size(): number {
    return this.all.length;
  }

  /** Calls a method of the owner. */
  call<K extends MethodName<Engine>>(method: K, ...args: Method<K>[0]): Promise<Method<K>[1]> {
    return this.owner.call(method, ...args);
  }

  /** Calls a method of one worker. */
  callAt<K extends MethodName<Engine>>({ index }: Worker, method: K, ...args: Method<K>[0]): Promise<Method<K>[1]> {
    return this.all[index]!.call(method, ...args);
  }

  /**
   * Shares pieces of work out, and returns what they give in their order. `fixed`: the worker of a piece follows from its
   * place alone, so that sums over a worker's pieces are the same every time; else who is free takes the next one. A single
   * piece is done by the owner alone.
   */
  async share<Piece, Result>(
    pieces: readonly Piece[],
    act: (piece: Piece, worker: Worker) => Promise<Result>,
    { fixed = false } = {},
  ): Promise<Result[]> {
    if (this.size === 1 || pieces.length < 2) {
      const results: Result[] = [];
      for (const piece of pieces) results.push(await act(piece, OWNER));
      return results;
    }
    await this.refresh();
    const results = new Array<Result>(pieces.length);
    let next = 0;
    const work = async (_: EngineClient, index: number) => {
      const take = fixed ? (last: number) => (last < 0 ? index : last + this.size) : () => next++;
      for (let i = take(-1); i < pieces.length; i = take(i)) results[i] = await act(pieces[i]!, { index, alone: false });
    };
    await settled(this.all.map(work));
    return results;
  }

  /** The parameters have changed in the owner. */
  changed(): void {
    this.stale = true;
  }

  private async refresh(): Promise<void> {
    if (!this.stale) return;
    for (const copy of this.copies) {
      const values = await this.owner.call("lendParameters");
      await copy.call("takeParameters", transferArrays(values));
    }
    this.stale = false;
  }

  async clearGradients(): Promise<void> {
    await this.refresh(); // What comes leaves old values in the accumulators.
    await settled(this.all.map((engine) => engine.call("clearGradients")));
  }

  async dropGradients(): Promise<void> {
    await settled(this.all.map((engine) => engine.call("dropGradients")));
  }

  /** Adds the gradients of `pieces` that were shared out as fixed up in the owner. */
  async sumGradients(pieces: number): Promise<void> {
    for (const copy of this.copies.slice(0, Math.max(0, pieces - 1)))
      await this.owner.call("addGradients", transferArrays(await copy.call("giveGradients")));
  }

  async snapshot(name: string): Promise<void> {
    await this.refresh();
    await settled(this.all.map((engine) => engine.call("snapshot", name)));
  }

  async restore(folder: string): Promise<Awaited<ReturnType<Engine["restore"]>>> {
    const state = await this.owner.call("restore", folder);
    await settled(this.copies.map((copy) => copy.call("restoreCopy", folder)));
    this.stale = false;
    return state;
  }

  async close(): Promise<void> {
    await settled(this.all.map((engine) => engine.close()));
  }
}

/** Waits for all; then the first failure counts. */
async function settled<T>(acts: readonly Promise<T>[]): Promise<void> {
  const failed = (await Promise.allSettled(acts)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
