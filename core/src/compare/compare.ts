import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../config/document.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { DataError, UsageError } from "../errors.js";
import type { Metrics } from "../extension/index.js";
import { evaluatePolicy, openTarget, type RunObserver, resume, train } from "../trainer/index.js";
import { writeDurably } from "../trainer/store/files.js";
import { RunFolder } from "../trainer/store/index.js";
import { type Contender, contender, findTask, type Task } from "./contenders.js";
import { type Measures, measure } from "./measures.js";
import { type Estimate, estimate, type PairedDifference, pairedDifference } from "./statistics.js";

export interface CompareOptions {
  /** Names of algorithms, or config files of which the method is taken; the first is the baseline. */
  algorithms: readonly string[];
  /** Name of a task, or a config file without an algorithm. */
  task?: string;
  /** Seeds 1 to this. */
  seeds?: number;
  /** Response tokens that each run may draw, discarded ones included; the task's by default. */
  budget?: number;
  /** Most steps of a run; the task's by default. */
  steps?: number;
  /** Held-out accuracy whose cost in tokens is told. */
  target?: number;
  /** Responses a held-out problem for pass@k. */
  samples?: number;
  /** Folder of the comparison: a run folder for each contender and seed, compare.json, compare.html. */
  output: string;
  /** Overrides for all contenders. */
  set?: readonly string[];
  cwd?: string;
  overwrite?: boolean;
  signal?: AbortSignal;
  onRun?: (event: { contender: string; seed: number; place: number; of: number; measures: RunMeasures; wasThere: boolean }) => void;
  onEvent?: RunObserver;
}

/** What one run came to, with pass@k by k of its final policy. */
export interface RunMeasures extends Measures {
  seed: number;
  /** Run folder, relative to the comparison's. */
  folder: string;
  passAt: Readonly<Record<string, number>>;
}

/** Measures that are compared over seeds; higher is better unless the table says otherwise. */
const MEASURES = ["accuracy", "area", "tokensToTarget", "reward", "entropy", "pass"] as const;
export type MeasureName = (typeof MEASURES)[number];

export interface ContenderResult {
  name: string;
  description: readonly string[];
  differences: readonly string[];
  runs: RunMeasures[];
  /** Over the seeds that have the value; null when none has. */
  over: Record<MeasureName, Estimate | null>;
  /** Against the first contender, over the seeds in which both have the value; absent for the first. */
  against?: Record<MeasureName, PairedDifference | null>;
}

/** What compare.json holds. */
export interface Comparison {
  formatVersion: 1;
  task: string;
  budget: number | null;
  steps: number;
  target: number;
  samples: number;
  seeds: number;
  /** All runs are there. */
  complete: boolean;
  /** What the statistics are, and what holds for all contenders. */
  notes: readonly string[];
  contenders: ContenderResult[];
}

export const COMPARISON_FILE = "compare.json";
const DEFAULTS = { task: "arithmetic", seeds: 5, target: 0.9, samples: 8 } as const;

/**
 * Trains every algorithm on the same task with the same seeds and the same budget. Each run is a run folder; those that are
 * finished are kept and an unfinished one is continued. null when a stop was asked for.
 */
export async function compareAlgorithms(options: CompareOptions): Promise<Comparison | null> {
  const { seeds = DEFAULTS.seeds, target = DEFAULTS.target, samples = DEFAULTS.samples, output, cwd = process.cwd() } = options;
  const task = findTask(options.task ?? DEFAULTS.task, cwd);
  const contenders = contendersOf(options, task, cwd);
  const plan = contenders.map((one) => ({
    contender: one,
    runs: Array.from({ length: seeds }, (_, i) => {
      const folder = join(one.name, `seed-${i + 1}`);
      return { seed: i + 1, folder, config: one.config(i + 1, join(output, folder)) };
    }),
  }));
  const all = plan.flatMap(({ runs }) => runs);
  const { trainer, data, file } = { ...all[0]!.config };
  if (data.eval === undefined && data.evalFraction === 0) {
    throw new DataError("a comparison needs held-out problems", { file: file ?? task.name, hint: "set data.eval or data.evalFraction" });
  }
  if (options.overwrite === true) for (const { folder } of all) rmSync(join(output, folder), { recursive: true, force: true });
  else for (const { folder, config } of all) checkSame(join(output, folder), config);

  const earlier = options.overwrite === true ? new Map<string, RunMeasures>() : readEarlier(output);
  const budget = trainer.tokenBudget;
  const done = new Map<string, RunMeasures>();
  const result = (): Comparison => ({
    formatVersion: 1,
    task: task.name,
    budget,
    steps: trainer.steps,
    target,
    samples,
    seeds,
    complete: done.size === all.length,
    notes: notesOf(all[0]!.config, seeds),
    contenders: summarise(plan, done),
  });
  for (const { contender: one, runs } of interleaved(plan)) {
    const { seed, folder, config } = runs;
    const path = join(output, folder);
    const wasThere = existsSync(path) && RunFolder.open(path).finished;
    if (!wasThere && (await finishRun(path, config, options)) === null) return null;
    const records = RunFolder.open(path).metrics();
    const known = wasThere ? earlier.get(folder) : undefined;
    const passAt = known !== undefined && Object.hasOwn(known.passAt, String(samples)) ? known.passAt : await passesOf(path, samples);
    const drawn = records.reduce((sum, { drawnTokens }) => sum + (drawnTokens ?? 0), 0);
    const measures = { seed, folder, ...measure(records, { budget: budget ?? drawn, target }), passAt };
    done.set(folder, measures);
    writeDurably(join(output, COMPARISON_FILE), `${JSON.stringify(result(), null, 2)}\n`);
    options.onRun?.({ contender: one.name, seed, place: done.size, of: all.length, measures, wasThere });
    if (options.signal?.aborted === true && done.size < all.length) return null;
  }
  return result();
}

function contendersOf({ algorithms, set = [], budget, steps }: CompareOptions, task: Task, cwd: string): Contender[] {
  const twice = algorithms.find((name, i) => algorithms.indexOf(name) < i);
  if (twice !== undefined) throw new UsageError(`"${twice}" is named twice`, { given: algorithms.join(",") });
  return algorithms.map((entry) => contender(entry, task, { set, cwd, budget, steps }));
}

interface PlannedRun {
  seed: number;
  folder: string;
  config: ResolvedConfig;
}
type Plan = readonly { contender: Contender; runs: readonly PlannedRun[] }[];

/** Seed by seed, so that a comparison that is stopped early has whole pairs. */
const interleaved = (plan: Plan): { contender: Contender; runs: PlannedRun }[] =>
  (plan[0]?.runs ?? []).flatMap((_, i) => plan.map(({ contender, runs }) => ({ contender, runs: runs[i]! })));

const finishRun = (path: string, config: ResolvedConfig, { onEvent, signal }: CompareOptions) =>
  existsSync(path) ? resume(path, { onEvent, signal }) : train(config, { output: path, onEvent, signal });

/** A folder that holds another run may not be taken for a part of this comparison. */
function checkSame(path: string, { config }: ResolvedConfig): void {
  if (!existsSync(path)) return;
  const difference = firstDifference(JSON.parse(JSON.stringify(config)), RunFolder.open(path).config);
  if (difference === undefined) return;
  throw new UsageError(`the folder holds a run with another ${difference}`, {
    file: path,
    hint: "choose another folder with --out, or start over with --overwrite",
  });
}

function firstDifference(a: unknown, b: unknown, path = ""): string | undefined {
  if (isRecord(a) && isRecord(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = firstDifference(a[key], b[key], path === "" ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return JSON.stringify(a) === JSON.stringify(b) ? undefined : path;
}

/** Measures that an earlier call wrote, by run folder. */
function readEarlier(output: string): Map<string, RunMeasures> {
  const file = join(output, COMPARISON_FILE);
  if (!existsSync(file)) return new Map();
  const { contenders } = JSON.parse(readFileSync(file, "utf8")) as Comparison;
  return new Map(contenders.flatMap(({ runs }) => runs.map((run) => [run.folder, run] as const)));
}

/** pass@k of a finished run by k, sampled. */
async function passesOf(path: string, samples: number): Promise<Record<string, number>> {
  const run = await openTarget(path);
  try {
    const { overall } = await evaluatePolicy(run, { samples });
    return passes(overall);
  } finally {
    await run.close();
  }
}

const passes = (metrics: Metrics): Record<string, number> =>
  Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]) => (name.startsWith("pass@") ? [[name.slice("pass@".length), value]] : [])),
  );

function summarise(plan: Plan, done: ReadonlyMap<string, RunMeasures>): ContenderResult[] {
  const runsOf = ({ runs }: Plan[number]) => runs.flatMap(({ folder }) => done.get(folder) ?? []);
  const first = runsOf(plan[0]!);
  return plan.map((entry, place) => {
    const { name, description, differences } = entry.contender;
    const runs = runsOf(entry);
    const over = byMeasure((measure) => {
      const values = runs.map((run) => valueFrom(run, measure)).filter((value) => value !== null);
      return values.length === 0 ? null : estimate(values);
    });
    if (place === 0) return { name, description, differences, runs, over };
    const against = byMeasure((measure) => {
      const pairs = runs.flatMap((run) => {
        const other = first.find(({ seed }) => seed === run.seed);
        const [a, b] = [valueFrom(run, measure), other === undefined ? null : valueFrom(other, measure)];
        return a === null || b === null ? [] : [[a, b] as const];
      });
      if (pairs.length === 0) return null;
      return pairedDifference(
        pairs.map(([a]) => a),
        pairs.map(([, b]) => b),
      );
    });
    return { name, description, differences, runs, over, against };
  });
}

const byMeasure = <T>(make: (measure: MeasureName) => T): Record<MeasureName, T> =>
  Object.fromEntries(MEASURES.map((name) => [name, make(name)])) as Record<MeasureName, T>;

/** `pass` is pass@k at the largest k. */
function valueFrom(run: RunMeasures, measure: MeasureName): number | null {
  if (measure !== "pass") return run[measure];
  const largest = Math.max(0, ...Object.keys(run.passAt).map(Number));
  return run.passAt[String(largest)] ?? null;
}

function notesOf({ trainer, evaluation, optimizer, model, adapter }: ResolvedConfig, seeds: number): string[] {
  const budget =
    trainer.tokenBudget === null
      ? `${trainer.steps} steps each, whatever a sampler draws in a step`
      : `a run ends with the step in which its sampler has drawn ${trainer.tokenBudget.toLocaleString("en")} response tokens, discarded ones included, or after ${trainer.steps} steps`;
  return [
    `Same data, held-out problems, initial weights (${adapter.adapter.id}: ${Object.values(model).map(String).join(", ")}), sampling and seeds 1 to ${seeds} for all.`,
    `Budget: ${budget}.`,
    `An algorithm keeps its own group size, epochs and mini-batches; the number of prompts a step follows from the task's responses a step. No algorithm was tuned: all use the task's learning rate ${optimizer.learningRate} unless they are listed with another.`,
    `Held-out accuracy ${evaluation.greedy ? "by greedy decoding" : "by sampling"}, every ${evaluation.every} steps on at most ${evaluation.limit} problems; the area is its mean over the budget.`,
    "Intervals: 95 %, Student's t over seeds. Differences are paired by seed; p by the sign-flip test, whose smallest value is 2 / 2^seeds. Many measures are shown: one small p among them is no finding.",
    ...(optimizer.schedule === "constant"
      ? []
      : ["The learning rate follows the steps, not the tokens: it differs between algorithms that draw more."]),
  ];
}
