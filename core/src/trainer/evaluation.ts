import { type Contamination, type DataSet, fieldOf, findContamination, missingField } from "../data/index.js";
import { DataError } from "../errors.js";
import type { Metrics } from "../extension/index.js";
import { type EvaluatedProblem, evaluatePrompts, problemParts, summarize } from "./evaluate.js";
import { differenceOf, type Estimates, estimatesOf, type Interval } from "./intervals.js";
import type { Run } from "./run.js";

export interface EvaluateOptions {
  /** Data set to evaluate on; the config's held-out prompts by default. */
  data?: string;
  /** At most this many prompts. */
  limit?: number;
  /** Responses a prompt, sampled; as the config says when left out. */
  samples?: number;
  /** Greedy decoding, whatever the config says. */
  greedy?: boolean;
  /** Field of the records to report by (a level, a topic). */
  by?: string;
}

export interface EvaluationReport {
  overall: Metrics;
  /** 95 % intervals of the overall metrics, bootstrap over problems with the run's seed. */
  intervals: Readonly<Record<string, Interval>>;
  /** By value of the field that `by` names. */
  groups: Readonly<Record<string, Metrics>>;
  groupIntervals: Readonly<Record<string, Readonly<Record<string, Interval>>>>;
  problems: readonly EvaluatedProblem[];
  /** How responses were drawn, in words. */
  how: string;
  /** What of the problems stands in the run's training data; null when it was not looked for. */
  contamination: Contamination | null;
}

async function heldOut(run: Run, data: string | undefined): Promise<DataSet> {
  const set = data === undefined ? run.data.held : await run.data.train.read(data);
  if (set !== null) return set;
  throw new DataError("no prompts are held out", { hint: "name a data set with --data, or set data.eval or data.evalFraction" });
}

function groupBy(problems: readonly EvaluatedProblem[], by: string): [string, EvaluatedProblem[]][] {
  const groups = new Map<string, EvaluatedProblem[]>();
  for (const problem of problems) {
    const { fields, id } = problem.prompt;
    const value = fieldOf(fields, by);
    if (value === undefined) throw new DataError(`the record has no field "${by}"`, { path: `record ${id}`, ...missingField(fields, by) });
    const name = typeof value === "string" ? value : JSON.stringify(value);
    groups.set(name, [...(groups.get(name) ?? []), problem]);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}

/** Accuracy, pass@k, maj@k, reward and length of a policy on problems that it was not trained on, with intervals. */
export async function evaluatePolicy(run: Run, options: EvaluateOptions = {}): Promise<EvaluationReport> {
  const { data, limit = run.settings.evaluation.limit, samples, by } = options;
  const { evaluation, sampling, seed } = run.settings;
  const set = await heldOut(run, data);
  const contamination = data === undefined ? run.data.contamination : findContamination(set.questions(), run.data.train.questions());
  const greedy = options.greedy ?? (samples === undefined && evaluation.greedy);
  const drawn = greedy ? 1 : (samples ?? evaluation.samples);
  const problems = await evaluatePrompts(run, set.first(limit), { limit, greedy, samples: drawn });
  const estimate = (part: readonly EvaluatedProblem[]) => estimatesOf(part.map(problemParts), seed);
  const groups = by === undefined ? [] : groupBy(problems, by);
  return {
    overall: summarize(problems),
    intervals: estimate(problems).intervals,
    groups: Object.fromEntries(groups.map(([name, part]) => [name, summarize(part)])),
    groupIntervals: Object.fromEntries(groups.map(([name, part]) => [name, estimate(part).intervals])),
    problems,
    how: greedy ? "greedy" : `${drawn} ${drawn === 1 ? "sample" : "samples"} a problem at temperature ${sampling.temperature}`,
    contamination,
  };
}

/** How much better `after` is than `before` on the same problems, in the same order. `DataError` when they are others. */
export function compareReports(before: EvaluationReport, after: EvaluationReport, seed: number): Estimates {
  const golds = ({ problems }: EvaluationReport) => JSON.stringify(problems.map(({ prompt }) => prompt.golds));
  if (golds(before) !== golds(after)) {
    throw new DataError("the two policies were not asked the same problems", {
      given: `${before.problems.length} and ${after.problems.length} problems`,
      hint: "name the data set with --data",
    });
  }
  return differenceOf(before.problems.map(problemParts), after.problems.map(problemParts), seed);
}
