import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "@proximal/core";
import { transfer } from "../../src/session/message.js";
import { serve, type WorkerContext } from "../../src/session/worker.js";

/** An engine for the transport's tests. */
export class Fixture {
  private readonly seen: string[] = [];

  constructor(private readonly context: WorkerContext<{ base: number; broken?: boolean }>) {
    if (context.data.broken) throw new EngineError("no such model", { given: "model" });
  }

  add(a: number, b: number): number {
    return this.context.data.base + a + b;
  }

  async note(word: string, milliseconds: number): Promise<string[]> {
    await sleep(milliseconds);
    this.seen.push(word);
    return this.seen;
  }

  double(values: Float32Array<ArrayBuffer>): { values: Float32Array<ArrayBuffer>; sent: number } {
    const doubled = values.map((x) => 2 * x);
    this.context.emit({ doubled: doubled.length });
    return transfer({ values: doubled, sent: doubled.byteLength }, [doubled.buffer]);
  }

  refuse(): never {
    throw new EngineError("no such provider", { given: 12n, accepted: ["cpu"], cause: new Error("inner") });
  }

  stumble(): never {
    throw new TypeError("x is undefined");
  }

  exit(code: number): void {
    process.exit(code);
  }

  throwLater(): Promise<void> {
    setTimeout(() => {
      throw new Error("out of band");
    }, 1);
    return sleep(10_000);
  }

  async spin(): Promise<void> {
    for (;;);
  }

  close(): void {
    this.context.emit("closed");
  }
}

serve<{ base: number }>((context) => new Fixture(context));
