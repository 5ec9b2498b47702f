import type { Contamination } from "../data/index.js";
import type { Metrics } from "../extension/index.js";
import type { MetricsRecord } from "./store/index.js";
import type { RunSummary } from "./summary.js";

/** What a run works with, for its header. */
export interface SessionFacts {
  architecture: string;
  parameters: number;
  engine: string;
  /** How the model's makers sample from it, in words; the run samples as its config says. */
  suggestedSampling: string | null;
  /** Prompts to train on, and held-out prompts. */
  prompts: number;
  held: number;
  /** Records that were left out for their length. */
  dropped: number;
  /** What of the held-out prompts stands in the training data; null when it was not looked for. */
  contamination: Contamination | null;
}

/** What happens in a run, in order. A view subscribes to these; the run does not wait for it. */
export type RunEvent =
  | { type: "start"; steps: number; from: number; facts: SessionFacts }
  | { type: "evaluation"; step: number; metrics: Metrics }
  | { type: "step"; steps: number; record: MetricsRecord; secondsLeft: number }
  | { type: "checkpoint"; step: number; folder: string }
  | { type: "warning"; message: string }
  /** A stop was asked for: the step was finished and saved. */
  | { type: "stopped"; step: number; folder: string }
  | { type: "end"; summary: RunSummary; folder: string };

export type RunObserver = (event: RunEvent) => void;
