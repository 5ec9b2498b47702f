import { mean } from "../builtin/statistics.js";
import { bestOf, type SelectionSettings } from "./selection.js";
import type { MetricsRecord } from "./store/index.js";

/** What summary.json holds. null where a value does not exist. */
export interface RunSummary {
  formatVersion: 1;
  /** Held-out accuracy before the first and after the last step, 0–1. */
  evalAccuracyStart: number | null;
  evalAccuracyEnd: number | null;
  /** Mean reward of the first and of the last steps (a tenth of the run, at most 10). */
  rewardStart: number | null;
  rewardEnd: number | null;
  lossStart: number | null;
  lossEnd: number | null;
  steps: number;
  /** Why the run ended: its last step, its token budget, no better evaluation, or a watchdog. */
  ended: "steps" | "tokenBudget" | "patience" | "watchdog";
  /** Step and value of the best held-out evaluation. */
  bestStep: number | null;
  bestValue: number | null;
  /** Updates that were skipped because loss or gradient was not finite. */
  skippedUpdates: number;
  /** Wall clock, evaluations and checkpoints included, all sessions of a resumed run added up. */
  seconds: number;
  tokensPerSecond: number;
  seed: number;
}

export interface SummaryFacts {
  steps: number;
  seed: number;
  ended?: RunSummary["ended"];
  selection?: SelectionSettings;
}

/** The run in a few numbers, from its metrics alone. */
export function summaryOf(
  records: readonly MetricsRecord[],
  { steps, seed, ended = "steps", selection }: SummaryFacts,
  seconds: number,
): RunSummary {
  const values = (name: string) => records.map((record) => record[name]).filter((value) => typeof value === "number");
  const window = Math.max(1, Math.min(10, Math.floor(records.length / 10)));
  const average = (list: readonly number[]) => (list.length === 0 ? null : mean(list));
  const total = (name: string) => values(name).reduce((a, b) => a + b, 0);
  const best = selection === undefined ? null : bestOf(records, selection);
  const [rewards, losses] = [values("reward"), values("loss")];
  return {
    formatVersion: 1,
    evalAccuracyStart: values("evalStart.accuracy")[0] ?? null,
    evalAccuracyEnd: values("eval.accuracy").at(-1) ?? null,
    rewardStart: average(rewards.slice(0, window)),
    rewardEnd: average(rewards.slice(-window)),
    lossStart: average(losses.slice(0, window)),
    lossEnd: average(losses.slice(-window)),
    steps,
    ended,
    bestStep: best?.step ?? null,
    bestValue: best?.value ?? null,
    skippedUpdates: total("skipped"),
    seconds,
    tokensPerSecond: total("tokens") / total("seconds"),
    seed,
  };
}
