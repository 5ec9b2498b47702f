import { createInterface } from "node:readline/promises";
import { generate, openTarget } from "../../trainer/index.js";

interface TargetFlags {
  set: readonly string[];
  checkpoint?: number | "best";
  json?: boolean;
}

export interface GenerateFlags extends TargetFlags {
  samples?: number;
  greedy?: boolean;
  maxTokens?: number;
  temperature?: number;
}

/** `proximal generate`: answers the prompts given, or each line of the standard input. */
export async function generateCommand(
  target: string,
  prompts: readonly string[],
  { set, checkpoint, json, ...options }: GenerateFlags,
): Promise<void> {
  const run = await openTarget(target, { set, checkpoint });
  const answer = async (texts: readonly string[]) => {
    for (const { prompt, text, ...rest } of await generate(run, texts, options)) {
      console.log(json ? JSON.stringify({ prompt, text, ...rest }) : `${prompt}${text}`);
    }
  };
  try {
    if (prompts.length > 0) return await answer(prompts);
    for await (const line of createInterface({ input: process.stdin })) if (line !== "") await answer([line]);
  } finally {
    await run.close();
  }
}
