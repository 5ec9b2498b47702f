import type { Metrics } from "../extension/index.js";
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
  /** Updates that were skipped because loss or gradient was not finite. */
  skippedUpdates: number;
  /** Wall clock, evaluations and checkpoints included, all sessions of a resumed run added up. */
  seconds: number;
  tokensPerSecond: number;
  seed: number;
}

/** What happens in a run, in order. A view subscribes to these; the run does not wait for it. */
export type RunEvent =
  | { type: "start"; steps: number; from: number }
  | { type: "evaluation"; step: number; metrics: Metrics }
  | { type: "step"; steps: number; record: MetricsRecord; secondsLeft: number }
  | { type: "checkpoint"; step: number; folder: string }
  | { type: "warning"; message: string }
  /** A stop was asked for: the step was finished and saved. */
  | { type: "stopped"; step: number; folder: string }
  | { type: "end"; summary: RunSummary; folder: string };

export type RunObserver = (event: RunEvent) => void;
