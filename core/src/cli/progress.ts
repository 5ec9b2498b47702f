import asciichart from "asciichart";
import logUpdate from "log-update";
import { duration } from "../report/duration.js";
import type { RunEvent, RunObserver, RunSummary } from "../trainer/index.js";
import { fixed, percent, progressBar, shrink } from "./format.js";
import { type Curves, panelLines } from "./panel.js";

export interface ProgressOptions {
  /** Print every event as one JSON line. */
  json?: boolean;
  /** Print warnings and the end only. */
  quiet?: boolean;
  /** Where lines go; a terminal gets a panel that is redrawn. */
  stream?: NodeJS.WriteStream;
}

/** Shows a run as it happens: a panel that is redrawn in a terminal, plain lines elsewhere, JSON lines for programs. */
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
    if (event.type === "step" && isLive) {
      logUpdate(
        panelLines(event, history)
          .map((text) => text.slice(0, stream.columns))
          .join("\n"),
      );
    } else if (event.type === "step" && !quiet) line(stepLine(event, history.heldOut));
    else if (event.type === "warning") line(`warning: ${event.message}`);
    else if (event.type === "stopped") line(`stopped after step ${event.step}; continue with: proximal resume ${event.folder}`);
    else if (event.type === "end") line([...(quiet ? [] : history.chart()), ...summaryLines(event.summary, event.folder)].join("\n"));
    else if (!quiet && event.type === "start") for (const text of startLines(event)) line(text);
    else if (!quiet && event.type === "evaluation" && event.step === 0)
      line(`held-out accuracy before training: ${percent(event.metrics.accuracy)}`);
  };
}

function startLines({ from, steps, facts }: Extract<RunEvent, { type: "start" }>): string[] {
  const { architecture, parameters, engine, suggestedSampling, prompts, held, dropped, contamination } = facts;
  const isClean = contamination !== null && contamination.exact + contamination.overlapping === 0;
  const heldOut = `${held} held out${isClean ? ", none of them in the training data" : ""}`;
  return [
    `  ${"policy".padEnd(12)}${architecture}; ${parameters.toLocaleString("en")} parameters; ${engine}`,
    ...(suggestedSampling === null ? [] : [`  ${"".padEnd(12)}its makers sample at ${suggestedSampling}; this run samples as said above`]),
    `  ${"prompts".padEnd(12)}${prompts} to train on, ${heldOut}${dropped > 0 ? `, ${dropped} left out for their length` : ""}`,
    ...(from > 0 ? [`continuing after step ${from} of ${steps}`] : []),
  ];
}

/** What the panel and the curve at the end need from earlier events. */
class History implements Curves {
  readonly values: Record<string, number[]> = { reward: [], accuracy: [], loss: [] };
  heldOut: number | undefined;

  add(event: RunEvent): void {
    if (event.type === "evaluation") this.heldOut = event.metrics.accuracy;
    if (event.type !== "step") return;
    for (const [name, values] of Object.entries(this.values)) {
      const value = event.record[name];
      if (typeof value === "number") values.push(value);
    }
  }

  /** The learning curve, at most 60 columns wide. */
  chart(): string[] {
    const name = this.values.reward!.length > 0 ? "reward" : "loss";
    const values = this.values[name]!;
    return values.length < 2 ? [] : [`${name} by step`, asciichart.plot(shrink(values, 60), { height: 8 })];
  }
}

/** One step in one line: where the run is, what it learns, how fast, how long it still takes. */
export function stepLine({ steps, record, secondsLeft }: Extract<RunEvent, { type: "step" }>, accuracy?: number): string {
  const parts: [string, string | undefined][] = [
    ["reward", fixed(record.reward, 3)],
    ["loss", record.reward === undefined ? fixed(record.loss, 4) : undefined],
    ["accuracy", percent(record.accuracy)],
    ["held-out", percent(accuracy)],
    ["KL", fixed(record.kl, 4)],
    ["entropy", fixed(record.entropy ?? record.entropyEstimate, 2)],
    ["clipped", percent(record.clipFraction)],
    ["length", fixed(record.length, 1)],
    ["cut", record.truncated ? percent(record.truncated) : undefined],
    ["no variance", percent(record.fracZeroStd)],
    ["skipped", record.skipped ? String(record.skipped) : undefined],
    ["tok/s", fixed(record.tokensPerSecond, 0)],
  ];
  const shown = parts.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`);
  return `${progressBar(record.step ?? 0, steps)}  ${shown.join("  ")}  ${duration(secondsLeft)} left`;
}

const ENDINGS = {
  tokenBudget: "its token budget",
  patience: "its patience: the evaluation did not get better",
  watchdog: "a watchdog: see the warning above",
} as const;

function summaryLines(summary: RunSummary, folder: string): string[] {
  const change = (name: string, from: string | undefined, to: string | undefined): string[] =>
    to === undefined ? [] : [`${name.padEnd(18)}${from === undefined ? "" : `${from} -> `}${to}`];
  return [
    ...change("held-out accuracy", percent(summary.evalAccuracyStart), percent(summary.evalAccuracyEnd)),
    ...change("reward", fixed(summary.rewardStart, 3), fixed(summary.rewardEnd, 3)),
    ...(summary.rewardEnd === null ? change("loss", fixed(summary.lossStart, 4), fixed(summary.lossEnd, 4)) : []),
    `${"time".padEnd(18)}${duration(summary.seconds)}, ${summary.steps} steps, ${fixed(summary.tokensPerSecond, 0)} tokens/s`,
    ...(summary.bestStep === null || summary.bestStep === summary.steps
      ? []
      : [`${"best evaluation".padEnd(18)}${fixed(summary.bestValue, 3)} after step ${summary.bestStep}: --checkpoint best`]),
    ...(summary.ended === "steps" ? [] : [`${"ended by".padEnd(18)}${ENDINGS[summary.ended]}`]),
    ...(summary.skippedUpdates > 0 ? [`${"skipped updates".padEnd(18)}${summary.skippedUpdates}`] : []),
    `${"run folder".padEnd(18)}${folder}`,
  ];
}
