import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import type { BlockResult, Limits, Stopped } from "./limits.js";

let loaded: Promise<QuickJSWASMModule> | undefined;
/** The interpreter's code, loaded at the first use. */
const quickJS = (): Promise<QuickJSWASMModule> => {
  loaded ??= newQuickJSWASMModuleFromVariant(import("@jitl/quickjs-wasmfile-release-sync"));
  return loaded;
};

/** Of the interpreter's own stack: deep recursion ends inside of it. */
const STACK_BYTES = 256 * 1024;
/** Jobs of promises that are run between two looks at the limits. */
const JOBS = 100;

/** What a block does before any other: no clock and no chance, so that a program always gives the same. */
const PRELUDE = "globalThis.console = { log: print }; delete globalThis.Date; delete Math.random;";

/**
 * Runs blocks of JavaScript one after the other; variables live on. There are no files, network, modules, timers, clock or
 * random numbers. An error of the interpreter itself is thrown: it must not be used again.
 */
export class Interpreter {
  private readonly runtime: QuickJSRuntime;
  private readonly context: QuickJSContext;
  private lines: string[] = [];
  private printed = 0;
  private interrupted = 0;

  private constructor(
    module: QuickJSWASMModule,
    private readonly limits: Limits,
  ) {
    this.runtime = module.newRuntime();
    this.runtime.setMemoryLimit(limits.megabytes * 2 ** 20);
    this.runtime.setMaxStackSize(STACK_BYTES);
    this.runtime.setInterruptHandler(() => this.isFlooded || ++this.interrupted > limits.interrupts);
    this.context = this.runtime.newContext();
    const print = this.context.newFunction("print", (...values) => {
      if (this.isFlooded) return;
      const line = values.map((value) => text(this.context.dump(value))).join(" ");
      this.printed += line.length + 1;
      this.lines.push(line.slice(0, limits.outputLength));
    });
    this.context.setProp(this.context.global, "print", print);
    print.dispose();
    this.run(PRELUDE);
  }

  static async open(limits: Limits): Promise<Interpreter> {
    return new Interpreter(await quickJS(), limits);
  }

  private get isFlooded(): boolean {
    return this.printed > this.limits.outputLength;
  }

  run(code: string): BlockResult {
    this.lines = [];
    this.printed = 0;
    this.interrupted = 0;
    const result = this.context.evalCode(code);
    if (result.error !== undefined) return this.failed(errorOf(this.taken(result.error)));
    const failure = this.runJobs();
    const isData = !["function", "symbol"].includes(this.context.typeof(result.value));
    const value = this.settled(result.value);
    if (this.interrupted > this.limits.interrupts) return this.failed(INTERRUPTED);
    if (failure !== undefined) return this.failed(failure);
    if (value instanceof Rejected) return this.failed(errorOf(value.reason));
    if (this.isFlooded) return { ok: false, output: this.output, stopped: "output" };
    if (this.lines.length === 0 && value !== undefined) this.lines.push(text(value));
    const json = isData ? jsonOf(value) : undefined;
    return { ok: true, output: this.output, ...(json === undefined || json.length > this.limits.outputLength ? {} : { value: json }) };
  }

  /** The value as a host value; its handle is given back. */
  private taken(handle: QuickJSHandle): unknown {
    return handle.consume((value) => this.context.dump(value) as unknown);
  }

  /** The same, of a promise what became of it. */
  private settled(handle: QuickJSHandle): unknown {
    const state = this.context.getPromiseState(handle);
    if (state.type === "fulfilled" && state.notAPromise) return this.taken(handle);
    handle.dispose();
    if (state.type === "fulfilled") return this.taken(state.value);
    return state.type === "rejected" ? new Rejected(this.taken(state.error)) : undefined;
  }

  private get output(): string {
    return this.lines.join("\n").slice(0, this.limits.outputLength);
  }

  private failed({ name, message }: ErrorText): BlockResult {
    const stopped = this.reasonOf(message);
    const line = `${name}: ${message}`;
    const said = [...this.lines, line].join("\n").slice(0, this.limits.outputLength);
    return { ok: false, output: said, ...(stopped === undefined ? {} : { stopped }) };
  }

  private reasonOf(message: string): Stopped | undefined {
    if (this.isFlooded) return "output";
    if (this.interrupted > this.limits.interrupts) return "work";
    return message === "out of memory" ? "memory" : undefined;
  }

  /** What promises left to do. It counts as work of the block. */
  private runJobs(): ErrorText | undefined {
    while (this.runtime.hasPendingJob()) {
      // Jobs are too short for the interrupt handler to see them all.
      if (++this.interrupted > this.limits.interrupts || this.isFlooded) return INTERRUPTED;
      const result = this.runtime.executePendingJobs(JOBS);
      if (result.error !== undefined) {
        const failure = errorOf(this.context.dump(result.error));
        result.error.dispose();
        return failure;
      }
      result.dispose();
    }
    return undefined;
  }

  close(): void {
    this.context.dispose();
    this.runtime.dispose();
  }
}

const INTERRUPTED: ErrorText = { name: "InternalError", message: "interrupted" };

class Rejected {
  constructor(readonly reason: unknown) {}
}

interface ErrorText {
  name: string;
  message: string;
}

function errorOf(value: unknown): ErrorText {
  const { name, message } = (typeof value === "object" && value !== null ? value : {}) as Partial<Record<keyof ErrorText, unknown>>;
  return {
    name: typeof name === "string" ? name : "Error",
    message: typeof message === "string" ? message : text(value),
  };
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string => (typeof value === "object" && value !== null ? (jsonOf(value) ?? "[object]") : String(value));
