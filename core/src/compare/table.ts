import type { Comparison, ContenderResult, MeasureName } from "./compare.js";
import type { Estimate, PairedDifference } from "./statistics.js";

/** Measures of the table with their heads. */
export const COLUMNS: readonly (readonly [MeasureName, (comparison: Comparison) => string])[] = [
  ["accuracy", () => "held-out accuracy"],
  ["area", () => "area"],
  ["tokensToTarget", ({ target }) => `tokens to ${target}`],
  ["reward", () => "reward"],
  ["entropy", () => "entropy"],
  ["pass", ({ samples }) => `pass@${samples}`],
];

const number = (measure: MeasureName, value: number): string =>
  measure === "tokensToTarget" ? Math.round(value).toLocaleString("en") : value.toFixed(3);
const signed = (measure: MeasureName, value: number): string => `${value < 0 ? "-" : "+"}${number(measure, Math.abs(value))}`;

/** `0.981 ± 0.012`: mean and half of its 95 % interval. Of the tokens to the target also how many seeds reached it. */
export function cell(measure: MeasureName, estimate: Estimate | null, runs: number): string {
  if (estimate === null) return measure === "tokensToTarget" ? `never (0 of ${runs})` : "–";
  const { mean, interval, count } = estimate;
  const half = interval === null ? "" : ` ± ${number(measure, (interval[1] - interval[0]) / 2)}`;
  return `${number(measure, mean)}${half}${count < runs ? ` (${count} of ${runs})` : ""}`;
}

/** `+0.012 [-0.003, +0.027] p 0.12` */
export function differenceCell(measure: MeasureName, difference: PairedDifference | null): string {
  if (difference === null) return "–";
  const { mean, interval, p } = difference;
  const range = interval === null ? "" : ` [${signed(measure, interval[0])}, ${signed(measure, interval[1])}]`;
  return `${signed(measure, mean)}${range}${p === null || interval === null ? "" : ` p ${p.toFixed(2)}`}`;
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i]!))
      .join("   ")
      .trimEnd(),
  );
}

/** What a comparison found, in lines: means with intervals, differences to the first contender, what differs, notes. */
export function comparisonTable(comparison: Comparison): string[] {
  const { contenders, task, seeds } = comparison;
  const heads = COLUMNS.map(([, head]) => head(comparison));
  const row = ({ name, over, runs }: ContenderResult) => [name, ...COLUMNS.map(([measure]) => cell(measure, over[measure], runs.length))];
  const differences = contenders.flatMap(({ name, against }) =>
    against === undefined ? [] : [[name, ...COLUMNS.map(([measure]) => differenceCell(measure, against[measure]))]],
  );
  return [
    `${task}, ${seeds} seed${seeds === 1 ? "" : "s"}: mean ± half of the 95 % interval`,
    ...align([["", ...heads], ...contenders.map(row)]),
    ...(differences.length === 0
      ? []
      : ["", `difference to ${contenders[0]!.name}, paired by seed: mean [95 % interval] p`, ...align([["", ...heads], ...differences])]),
    "",
    ...contenders.flatMap(({ name, differences }) => (differences.length === 0 ? [] : [`${name}: ${differences.join("; ")}`])),
    ...comparison.notes,
  ];
}
