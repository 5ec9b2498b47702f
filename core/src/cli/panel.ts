import { duration } from "../report/duration.js";
import type { MetricsRecord, RunEvent } from "../trainer/index.js";
import { fixed, percent, progressBar, sparkline } from "./format.js";

/** What the panel keeps of earlier steps. */
export interface Curves {
  /** By metric, one value a step. */
  values: Readonly<Record<string, readonly number[]>>;
  /** Newest held-out accuracy. */
  heldOut: number | undefined;
}

const WIDTH = 24;
type Cell = readonly [name: string, value: string | undefined];

const joined = (cells: readonly Cell[]): string =>
  cells.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])).join("   ");

/** The state of a run in a few lines that a terminal redraws. Lines without a value are left out. */
export function panelLines({ steps, record, secondsLeft }: Extract<RunEvent, { type: "step" }>, { values, heldOut }: Curves): string[] {
  const curve = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`  ${name.padEnd(10)}${value.padEnd(9)}${sparkline(values[name] ?? [], WIDTH)}`];
  const isSupervised = record.reward === undefined;
  return [
    `${progressBar(record.step ?? 0, steps)}   ${duration(secondsLeft)} left`,
    ...(isSupervised ? curve("loss", fixed(record.loss, 4)) : curve("reward", fixed(record.reward, 3))),
    ...curve("accuracy", percent(record.accuracy)).map((line) => (heldOut === undefined ? line : `${line}   held-out ${percent(heldOut)}`)),
    `  ${joined([
      ["KL", fixed(record.kl, 4)],
      ["entropy", fixed(record.entropy ?? record.entropyEstimate, 3)],
      ["clipped", clipText(record)],
      ["gradient norm", fixed(record.gradNorm, 3)],
      ["skipped", record.skipped ? String(record.skipped) : undefined],
    ])}`,
    `  ${joined([
      ["length", fixed(record.length, 1)],
      ["cut at the limit", percent(record.truncated)],
      ["groups without variance", percent(record.fracZeroStd)],
    ])}`,
    `  ${speed(record)}`,
  ].filter((line) => line.trim() !== "");
}

/** `9.3% (5.1% above, 4.2% below)`: by the side of the bound, where the gate tells it. */
function clipText(record: MetricsRecord): string | undefined {
  const side = (name: string) => Object.entries(record).find(([key]) => key.endsWith(`.clipFraction${name}`))?.[1];
  const [all, high, low] = [percent(record.clipFraction), percent(side("High")), percent(side("Low"))];
  return all !== undefined && high !== undefined && low !== undefined ? `${all} (${high} above, ${low} below)` : all;
}

/** Tokens a second of the whole step and of each phase that took time. */
function speed({ tokens, tokensPerSecond, ...record }: MetricsRecord): string {
  const phases = ["Generate", "Reward", "Score", "Update"].flatMap((phase) => {
    const seconds = record[`seconds${phase}`];
    const share = (seconds ?? 0) / (record.seconds ?? 1);
    return seconds && share >= 0.01
      ? [`${phase.toLowerCase()} ${fixed((tokens ?? 0) / seconds, 0)} (${(100 * share).toFixed(0)}% of the time)`]
      : [];
  });
  const whole = fixed(tokensPerSecond, 0);
  return whole === undefined ? "" : [`tokens/s ${whole}`, ...phases].join("   ");
}
