import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { describeContamination } from "../../data/index.js";
import { requireWritable, writeOut } from "../../folder.js";
import { compareReports, type Estimates, type EvaluationReport, evaluatePolicy, type Interval, openTarget } from "../../trainer/index.js";
import { toJson } from "../../trainer/serialize.js";

export interface EvalFlags {
  set: readonly string[];
  checkpoint?: number | "best";
  json?: boolean;
  out?: string;
  data?: string;
  limit?: number;
  samples?: number;
  greedy?: boolean;
  by?: string;
  before?: string;
  beforeCheckpoint?: number | "best";
}

/** `proximal eval`: tables, or one JSON value; the whole result with every response as a file. */
export async function evalCommand(target: string, flags: EvalFlags): Promise<void> {
  const { set, checkpoint, before: earlier, beforeCheckpoint, by, json, out } = flags;
  const modes = flags.greedy && flags.samples !== undefined ? [{ greedy: true }, { greedy: false }] : [{ greedy: flags.greedy }];
  const evaluate = async (path: string, step: EvalFlags["checkpoint"]) => {
    const run = await openTarget(path, { set, checkpoint: step });
    try {
      const reports: EvaluationReport[] = [];
      for (const mode of modes) reports.push(await evaluatePolicy(run, { ...flags, ...mode }));
      return { reports, seed: run.settings.seed };
    } finally {
      await run.close();
    }
  };
  // A file that is there may be written where its folder is closed, such as /dev/stdout.
  if (out !== undefined && !existsSync(out)) requireWritable(dirname(out));
  const { reports, seed } = await evaluate(target, checkpoint);
  const before = earlier === undefined ? undefined : await evaluate(earlier, beforeCheckpoint);
  const results = reports.map((report, i): Result => {
    const other = before?.reports[i];
    return {
      target,
      report,
      by,
      ...(other && earlier ? { before: { target: earlier, report: other, difference: compareReports(other, report, seed) } } : {}),
    };
  });
  if (out !== undefined) writeOut(out, `${toJson({ formatVersion: 1, results: results.map((result) => plain(result, true)) })}\n`);
  const shown = results.map((result) => plain(result, false));
  if (json) console.log(JSON.stringify(shown.length === 1 ? shown[0] : shown, null, 2));
  else
    console.log(
      [
        ...results.flatMap((result, i) => [...(i > 0 ? [""] : []), ...describeEvaluation(result)]),
        ...(out === undefined ? [] : [`written to ${out}`]),
      ].join("\n"),
    );
}

export interface Result {
  target: string;
  report: EvaluationReport;
  by?: string;
  before?: { target: string; report: EvaluationReport; difference: Estimates };
}

/** A result as JSON has it. */
function plain({ target, report, by, before }: Result, withProblems: boolean) {
  const outcome = ({ overall, intervals, groups, groupIntervals, problems }: EvaluationReport) => ({
    overall,
    intervals,
    ...(by === undefined ? {} : { by, groups, groupIntervals }),
    ...(withProblems
      ? {
          problems: problems.map(({ prompt: { id, text, golds }, responses, correct, rewards }) => ({
            id,
            prompt: text,
            golds,
            responses: responses.map((response, i) => ({
              text: response.text,
              correct: Number.isNaN(correct[i]) ? null : correct[i],
              reward: Number.isNaN(rewards[i]) ? null : rewards[i],
              tokens: response.tokens.length,
              finish: response.finish,
            })),
          })),
        }
      : {}),
  });
  return {
    target,
    how: report.how,
    contamination: report.contamination,
    ...outcome(report),
    ...(before === undefined ? {} : { before: { target: before.target, ...outcome(before.report) }, difference: before.difference }),
  };
}

/** Numbers of a metric with as many digits as tell something: shares three, lengths and rewards two. */
const digits = (name: string): number => (/^(accuracy|truncated|(pass|maj)@)/.test(name) ? 3 : 2);
const number = (name: string, value: number | undefined, sign = false): string =>
  value === undefined || !Number.isFinite(value) ? "-" : `${sign && value > 0 ? "+" : ""}${value.toFixed(digits(name))}`;

function cell(name: string, value: number | undefined, interval: Interval | undefined, sign = false): string {
  if (value === undefined || interval === undefined) return number(name, value, sign);
  return `${number(name, value, sign)} [${interval.map((bound) => number(name, bound, sign)).join(", ")}]`;
}

/** Metrics with their 95 % intervals; with an earlier policy both and their difference; then one table by group. */
export function describeEvaluation({ target, report, by, before }: Result): string[] {
  const names = Object.keys(report.overall).filter((name) => name !== "problems");
  const heads = before === undefined ? ["", "value"] : ["", "before", "after", "difference"];
  const rows = names.map((name) => [
    name,
    ...(before === undefined ? [] : [cell(name, before.report.overall[name], before.report.intervals[name])]),
    cell(name, report.overall[name], report.intervals[name]),
    ...(before === undefined ? [] : [cell(name, before.difference.metrics[name], before.difference.intervals[name], true)]),
  ]);
  const grouped = Object.entries(report.groups);
  const shares = names.filter((name) => name === "accuracy" || name.includes("@"));
  const of = (r: EvaluationReport, group: string, name: string) => cell(name, r.groups[group]?.[name], r.groupIntervals[group]?.[name]);
  const groupRows = grouped.map(([group, { problems }]) => [
    `${by} ${group}`,
    String(problems),
    ...(before === undefined ? [] : [of(before.report, group, "accuracy")]),
    ...(before === undefined ? shares : ["accuracy"]).map((name) => of(report, group, name)),
  ]);
  const groupHeads = ["", "problems", ...(before === undefined ? shares : ["accuracy before", "accuracy after"])];
  const known = report.contamination && describeContamination(report.contamination);
  const against = before === undefined ? "" : `, against ${before.target}`;
  return [
    `${target}${against}: ${report.overall.problems} problems, ${report.how}; 95 % intervals over problems in brackets`,
    ...(known === null ? [] : [`warning: ${known}`]),
    ...columns([heads, ...rows]),
    ...(grouped.length === 0 ? [] : ["", ...columns([groupHeads, ...groupRows])]),
  ];
}

/** Rows of cells as aligned lines. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}
