import { newQuickJSWASMModuleFromVariant, type QuickJSContext, type QuickJSRuntime, type QuickJSWASMModule } from "quickjs-emscripten-core";

export interface SandboxLimits {
  /** Calls of the interpreter's interrupt handler that one block may take: the same program always stops at the same place. */
  interrupts: number;
  megabytes: number;
  /** Characters of output a block. */
  outputLength: number;
}

let loaded: Promise<QuickJSWASMModule> | undefined;
/** The interpreter's code, loaded at the first use. */
const quickJS = (): Promise<QuickJSWASMModule> => {
  loaded ??= newQuickJSWASMModuleFromVariant(import("@jitl/quickjs-wasmfile-release-sync"));
  return loaded;
};

/**
 * Runs the JavaScript blocks of one response one after the other, in an interpreter without files, network, clock and random
 * numbers. Variables live on from block to block.
 */
export class Sandbox {
  private readonly runtime: QuickJSRuntime;
  private readonly context: QuickJSContext;
  private lines: string[] = [];
  private interrupted = 0;

  private constructor(
    module: QuickJSWASMModule,
    private readonly limits: SandboxLimits,
  ) {
    this.runtime = module.newRuntime();
    this.runtime.setMemoryLimit(limits.megabytes * 2 ** 20);
    this.runtime.setInterruptHandler(() => ++this.interrupted > limits.interrupts);
    this.context = this.runtime.newContext();
    const print = this.context.newFunction("print", (...values) => {
      this.lines.push(values.map((value) => text(this.context.dump(value))).join(" "));
    });
    this.context.setProp(this.context.global, "print", print);
    print.dispose();
    this.run("globalThis.console = { log: print }; delete globalThis.Date; delete Math.random;");
  }

  static async open(limits: SandboxLimits): Promise<Sandbox> {
    return new Sandbox(await quickJS(), limits);
  }

  /** What a block printed, or the value of its last expression when it printed nothing; an error is its message. */
  run(code: string): string {
    this.lines = [];
    this.interrupted = 0;
    const result = this.context.evalCode(code);
    const value = this.context.dump(result.error ?? result.value) as unknown;
    const failed = result.error !== undefined;
    result.dispose();
    if (failed) {
      const { name = "Error", message = String(value) } = (value ?? {}) as { name?: string; message?: string };
      this.lines.push(`${name}: ${message}`);
    } else if (this.lines.length === 0 && value !== undefined) this.lines.push(text(value));
    return this.lines.join("\n").slice(0, this.limits.outputLength);
  }

  close(): void {
    this.context.dispose();
    this.runtime.dispose();
  }
}

const text = (value: unknown): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));
