import { parentPort } from "node:worker_threads";
import { Interpreter } from "./interpreter.js";
import type { BlockResult, Limits } from "./limits.js";

export interface Job {
  blocks: readonly string[];
  limits: Limits;
}

/** Results of the job's blocks, up to one that broke the interpreter. */
export interface Done {
  results: BlockResult[];
  crashed: boolean;
}

async function runJob({ blocks, limits }: Job): Promise<Done> {
  const results: BlockResult[] = [];
  try {
    const interpreter = await Interpreter.open(limits);
    for (const block of blocks) results.push(interpreter.run(block));
    interpreter.close();
    return { results, crashed: false };
  } catch (error) {
    results.push({ ok: false, output: `InternalError: ${(error as Error).message}`.slice(0, limits.outputLength), stopped: "crash" });
    return { results, crashed: true };
  }
}

parentPort!.on("message", async (job: Job) => parentPort!.postMessage(await runJob(job)));
