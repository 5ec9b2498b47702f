import type { Expr, Feeds } from "@proximal/core";

/** What `@proximal/onnx` gives to the test kit. */
interface Engine {
  evaluateOnRuntime(exprs: Readonly<Record<string, Expr>>, feeds: Feeds): Promise<Record<string, number[]>>;
}

// Not known to the compiler: the kit is built, and works, without the engine.
const NAME: string = "@proximal/onnx";

let engine: Promise<Engine | null> | undefined;

/** The engine where it is installed, else null. */
export function optionalEngine(): Promise<Engine | null> {
  engine ??= (import(NAME) as Promise<Engine>).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ERR_MODULE_NOT_FOUND" && error.message.includes(NAME)) return null;
    throw error;
  });
  return engine;
}
