import { createInterface } from "node:readline/promises";
import type { Metrics } from "../../extension/index.js";
import { evaluatePolicy, generate, openTarget } from "../../trainer/index.js";

interface TargetFlags {
  set: readonly string[];
  checkpoint?: number | "best";
  json?: boolean;
}

export interface EvalFlags extends TargetFlags {
  data?: string;
  limit?: number;
  samples?: number;
  by?: string;
}

/** `proximal eval`: a table, or one JSON value. */
export async function evalCommand(target: string, { set, checkpoint, json, ...options }: EvalFlags): Promise<void> {
  const run = await openTarget(target, { set, checkpoint });
  try {
    const { overall, groups } = await evaluatePolicy(run, options);
    const how =
      options.samples === undefined && run.settings.evaluation.greedy
        ? "greedy"
        : `sampled at temperature ${run.settings.sampling.temperature}`;
    if (json)
      console.log(JSON.stringify({ target, how, overall, ...(options.by === undefined ? {} : { by: options.by, groups }) }, null, 2));
    else console.log([`${target}, ${how}`, ...table(overall, groups, options.by)].join("\n"));
  } finally {
    await run.close();
  }
}

/** One row for all problems and one for each group. */
export function table(overall: Metrics, groups: Readonly<Record<string, Metrics>>, by = ""): string[] {
  const columns = Object.keys(overall);
  const rows = [
    ["", ...columns],
    ...Object.entries(groups).map(([name, metrics]) => [`${by} ${name}`, ...cells(metrics, columns)]),
    ["all", ...cells(overall, columns)],
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}

const cells = (metrics: Metrics, columns: readonly string[]): string[] =>
  columns.map((name) => {
    const value = metrics[name] ?? Number.NaN;
    return Number.isInteger(value) ? String(value) : Number.isNaN(value) ? "-" : value.toFixed(4);
  });

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
