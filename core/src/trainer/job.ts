import type { DataSets } from "../data/index.js";
import type { Metrics } from "../extension/index.js";
import type { PolicyBackend } from "../policy/index.js";
import type { PlacedWatchdog } from "../registry/placed.js";
import type { Intervention } from "./run.js";
import type { SelectionSettings } from "./selection.js";
import type { StoredRow } from "./store/index.js";

/** What a loop repeats: reinforcement learning or supervised training. */
export interface Job {
  readonly steps: number;
  readonly seed: number;
  readonly policy: PolicyBackend;
  readonly data: DataSets;
  /** Steps between evaluations; 0 = only before the first and after the last step. */
  readonly evaluateEvery: number;
  readonly checkpointEvery: "auto" | number;
  readonly keepCheckpoints: number;
  /** The step in which the sampler has drawn this many tokens in all is the last one; null = no limit. */
  readonly tokenBudget?: number | null;
  readonly watchdogs?: readonly PlacedWatchdog[];
  readonly intervention?: Intervention;
  /** Goes on with another noise and learning rate. */
  intervene?(intervention: Intervention): void;
  /** Which evaluation is the best, and what follows from it. */
  readonly selection?: SelectionSettings;
  /** Before the first step of a new run. */
  prepare(): Promise<void>;
  /** One step, from 0; with its rollouts where they are asked for and the job has some. */
  step(step: number, wanted: { rollouts: boolean }): Promise<{ metrics: Metrics; rollouts?: readonly StoredRow[] }>;
  /** Held-out metrics after `step` steps; null when nothing is held out. */
  evaluate(step: number): Promise<Metrics | null>;
  /** What has to be restored beside the policy. */
  save(): unknown;
  restore(saved: unknown): void;
}
