import asciichart from "asciichart";
import logUpdate from "log-update";
import type { MetricsRecord, RunEvent, RunObserver, RunSummary } from "../trainer/index.js";

export interface ProgressOptions {
  /** Print every event as one JSON line. */
  json?: boolean;
  /** Print warnings and the end only. */
  quiet?: boolean;
  /** Where lines go; a terminal gets one line that is redrawn. */
  stream?: NodeJS.WriteStream;
}

/** Shows a run as it happens: a line that is redrawn in a terminal, plain lines elsewhere, JSON lines for programs. */
export function progressView({ json = false, quiet = false, stream = process.stdout }: ProgressOptions = {}): RunObserver {
  if (json) return (event) => void stream.write(`${JSON.stringify(event)}\n`);
  const isLive = stream.isTTY === true && !quiet;
  const history = new History();
  const line = (text: string): void => {
    if (isLive) logUpdate.clear();
    stream.write(`${text}\n`);
  };
  return (event) => {
    history.add(event);
    if (event.type === "step" && isLive) logUpdate(stepLine(event, history.accuracy).slice(0, stream.columns));
    else if (event.type === "step" && !quiet) line(stepLine(event, history.accuracy));
    else if (event.type === "warning") line(`warning: ${event.message}`);
    else if (event.type === "stopped") line(`stopped after step ${event.step}; continue with: proximal resume ${event.folder}`);
    else if (event.type === "end") line([...(quiet ? [] : history.chart()), ...summaryLines(event.summary, event.folder)].join("\n"));
    else if (!quiet && event.type === "start") for (const text of startLines(event)) line(text);
    else if (!quiet && event.type === "evaluation" && event.step === 0)
      line(`held-out accuracy before training: ${percent(event.metrics.accuracy)}`);
  };
}

function startLines({ from, steps, facts }: Extract<RunEvent, { type: "start" }>): string[] {
  const { architecture, parameters, engine, prompts, held, dropped, contamination } = facts;
  const isClean = contamination !== null && contamination.exact + contamination.overlapping === 0;
  const heldOut = `${held} held out${isClean ? ", none of them in the training data" : ""}`;
  return [
    `  ${"policy".padEnd(12)}${architecture}; ${parameters.toLocaleString("en")} parameters; ${engine}`,
    `  ${"prompts".padEnd(12)}${prompts} to train on, ${heldOut}${dropped > 0 ? `, ${dropped} left out for their length` : ""}`,
    ...(from > 0 ? [`continuing after step ${from} of ${steps}`] : []),
  ];
}

/** What the curve at the end and the line of a step need from earlier events. */
class History {
  private readonly values: number[] = [];
  private name = "reward";
  /** Newest held-out accuracy. */
  accuracy: number | undefined;

  add(event: RunEvent): void {
    if (event.type === "evaluation") this.accuracy = event.metrics.accuracy;
    if (event.type !== "step") return;
    this.name = event.record.reward === undefined ? "loss" : "reward";
    const value = event.record[this.name];
    if (typeof value === "number") this.values.push(value);
  }

  /** The learning curve, at most 60 columns wide. */
  chart(): string[] {
    if (this.values.length < 2) return [];
    return [`${this.name} by step`, asciichart.plot(shrink(this.values, 60), { height: 8 })];
  }
}

/** Means of equal parts. */
export function shrink(values: readonly number[], width: number): number[] {
  if (values.length <= width) return [...values];
  return Array.from({ length: width }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / width), Math.floor(((i + 1) * values.length) / width));
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}

const BAR = 12;

/** One step in one line: where the run is, what it learns, how fast, how long it still takes. */
export function stepLine({ steps, record, secondsLeft }: Extract<RunEvent, { type: "step" }>, accuracy?: number): string {
  const step = record.step ?? 0;
  const full = Math.round((BAR * step) / steps);
  const parts: [string, string | undefined][] = [
    ["reward", fixed(record.reward, 3)],
    ["loss", record.reward === undefined ? fixed(record.loss, 4) : undefined],
    ["accuracy", percent(record.accuracy)],
    ["held-out", percent(accuracy)],
    ["KL", fixed(record.kl, 4)],
    ["entropy", fixed(record.entropy ?? record.entropyEstimate, 2)],
    ["clipped", percent(record.clipFraction)],
    ["length", fixed(record.length, 1)],
    ["skipped", record.skipped ? String(record.skipped) : undefined],
    ["tok/s", fixed(record.tokensPerSecond, 0)],
  ];
  const shown = parts.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`);
  return `${"█".repeat(full)}${"░".repeat(BAR - full)} ${step}/${steps}  ${shown.join("  ")}  ${duration(secondsLeft)} left`;
}

function summaryLines(summary: RunSummary, folder: string): string[] {
  const change = (name: string, from: string | undefined, to: string | undefined): string[] =>
    to === undefined ? [] : [`${name.padEnd(18)}${from === undefined ? "" : `${from} -> `}${to}`];
  return [
    ...change("held-out accuracy", percent(summary.evalAccuracyStart), percent(summary.evalAccuracyEnd)),
    ...change("reward", fixed(summary.rewardStart, 3), fixed(summary.rewardEnd, 3)),
    ...(summary.rewardEnd === null ? change("loss", fixed(summary.lossStart, 4), fixed(summary.lossEnd, 4)) : []),
    `${"time".padEnd(18)}${duration(summary.seconds)}, ${summary.steps} steps, ${fixed(summary.tokensPerSecond, 0)} tokens/s`,
    ...(summary.skippedUpdates > 0 ? [`${"skipped updates".padEnd(18)}${summary.skippedUpdates}`] : []),
    `${"run folder".padEnd(18)}${folder}`,
  ];
}

type Value = MetricsRecord[string] | undefined;
const fixed = (value: Value, digits: number): string | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value.toFixed(digits) : undefined;
const percent = (value: Value): string | undefined =>
  typeof value === "number" && Number.isFinite(value) ? `${(100 * value).toFixed(1)}%` : undefined;

/** 75 → "1:15"; 3700 → "1:01:40". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
