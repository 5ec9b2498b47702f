import type { DataSets } from "../data/index.js";
import type { Metrics, State } from "../extension/index.js";
import type { PlacedWatchdog } from "../registry/placed.js";
import { REFERENCE } from "./columns.js";
import { evaluatePrompts, summarize } from "./evaluate.js";
import type { Job } from "./job.js";
import { rolloutRows } from "./rollout-rows.js";
import type { Intervention, Run } from "./run.js";
import type { SelectionSettings } from "./selection.js";
import { trainingStep } from "./step.js";
import type { StoredRow } from "./store/index.js";

interface SavedJob {
  states: Record<string, State>;
  intervention: Intervention;
}

/** Reinforcement learning as a job of the loop. */
export class TrainingJob implements Job {
  readonly steps: number;
  readonly seed: number;
  readonly policy: Run["policy"];
  readonly data: DataSets;
  readonly evaluateEvery: number;
  readonly checkpointEvery: Job["checkpointEvery"];
  readonly keepCheckpoints: number;
  readonly tokenBudget: number | null;
  readonly selection: SelectionSettings;

  readonly watchdogs: readonly PlacedWatchdog[];

  constructor(private readonly run: Run) {
    const { trainer, evaluation, seed } = run.settings;
    this.steps = trainer.steps;
    this.seed = seed;
    this.policy = run.policy;
    this.data = run.data;
    this.evaluateEvery = evaluation.every;
    this.checkpointEvery = trainer.checkpointEvery;
    this.keepCheckpoints = trainer.keepCheckpoints;
    this.tokenBudget = trainer.tokenBudget;
    this.selection = evaluation;
    this.watchdogs = run.composition.watchdogs ?? [];
  }

  async prepare(): Promise<void> {
    const { earlyColumns, columnsOnHost } = this.run;
    if (earlyColumns.has("refLogp") || columnsOnHost.has("refLogp")) await this.policy.snapshot(REFERENCE);
  }

  get intervention(): Intervention {
    return this.run.intervention;
  }

  intervene(intervention: Intervention): void {
    this.run.intervention = intervention;
  }

  async step(step: number, { rollouts = true } = {}): Promise<{ metrics: Metrics; rollouts?: StoredRow[] }> {
    const outcome = await trainingStep(this.run, step);
    return { metrics: outcome.metrics, ...(rollouts ? { rollouts: rolloutRows(this.run, outcome) } : {}) };
  }

  async evaluate(step: number): Promise<Metrics | null> {
    const { data, settings, components, states } = this.run;
    if (data.held === null) return null;
    const problems = await evaluatePrompts(this.run, data.held.first(settings.evaluation.limit), settings.evaluation, step);
    const metrics = summarize(problems);
    for (const placed of components) {
      states.set(placed, placed.component.afterEvaluation?.({ metrics, state: states.get(placed), step }));
    }
    return metrics;
  }

  save(): SavedJob {
    return { states: this.run.states.save(), intervention: this.run.intervention };
  }

  restore(saved: unknown): void {
    const { states, intervention } = saved as SavedJob;
    this.run.states.restore(states);
    this.run.intervention = intervention;
  }
}
