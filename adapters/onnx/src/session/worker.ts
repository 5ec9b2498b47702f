import { parentPort, workerData } from "node:worker_threads";
import { EngineError } from "@proximal/core";
import { CLOSE, type Reply, type Request, toWire, transferListOf } from "./message.js";

/** What an engine is built from, in the worker. */
export interface WorkerContext<Data = unknown> {
  /** What the host gave at the start. */
  readonly data: Data;
  /** Sends an event to the host, outside of any call. */
  emit(event: unknown): void;
}

function methodOf(engine: object, name: string): (...args: readonly unknown[]) => unknown {
  const method = name in Object.prototype ? undefined : (engine as Record<string, unknown>)[name];
  if (typeof method !== "function") throw new EngineError(`the engine has no method ${name}`, { given: name });
  return method.bind(engine) as (...args: readonly unknown[]) => unknown;
}

/**
 * Answers the host's calls with the methods of an engine, one after the other in the order of the calls. To be called once,
 * by the module that the host starts. An optional `close` method runs before the worker ends.
 */
export function serve<Data>(create: (context: WorkerContext<Data>) => object | Promise<object>): void {
  const port = parentPort;
  if (port === null) throw new EngineError("serve runs in a worker thread only");
  const engine = (async () => create({ data: workerData as Data, emit: (event) => port.postMessage({ event } satisfies Reply) }))();
  engine.catch(() => {}); // Each call reports it.

  const close = async () => {
    const built = (await engine.catch(() => undefined)) as { close?(): unknown } | undefined;
    await built?.close?.();
  };
  const answer = async ({ id, method, args }: Request): Promise<void> => {
    try {
      const value = method === CLOSE ? await close() : await methodOf(await engine, method)(...args);
      port.postMessage({ id, value } satisfies Reply, transferListOf([value]));
    } catch (error) {
      port.postMessage({ id, error: toWire(error) } satisfies Reply);
    }
    if (method === CLOSE) port.close();
  };
  let last = Promise.resolve();
  port.on("message", (request: Request) => {
    last = last.then(() => answer(request));
  });
}
