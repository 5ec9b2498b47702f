import type { DataSets } from "../data/index.js";
import type { Metrics, State } from "../extension/index.js";
import type { Batch } from "../rollout/index.js";
import { REFERENCE } from "./columns.js";
import { evaluatePrompts, summarize } from "./evaluate.js";
import type { Job } from "./loop.js";
import type { Run } from "./run.js";
import { type StepOutcome, trainingStep } from "./step.js";
import type { RolloutRecord } from "./store/index.js";

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
  }

  async prepare(): Promise<void> {
    const { earlyColumns, columnsOnHost } = this.run;
    if (earlyColumns.has("refLogp") || columnsOnHost.has("refLogp")) await this.policy.snapshot(REFERENCE);
  }

  async step(step: number): Promise<{ metrics: Metrics; rollouts: RolloutRecord[] }> {
    const outcome = await trainingStep(this.run, step);
    return { metrics: outcome.metrics, rollouts: rolloutRecords(this.run, outcome) };
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

  save(): Record<string, State> {
    return this.run.states.save();
  }

  restore(saved: unknown): void {
    this.run.states.restore(saved as Record<string, State>);
  }
}

/** Every sampled row: text, tokens, log-probs, rewards by component, and its credit if it was trained on. */
export function rolloutRecords({ composition }: Run, { sampled, trained }: StepOutcome): RolloutRecord[] {
  const names = composition.rewards.map(({ id }) => id);
  const [rewards, components] = [sampled.f64("rewards"), names.length > 0 ? sampled.f64("rewardComponents") : new Float64Array()];
  const credit = creditByRow(trained);
  const number = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);
  return sampled.trajectories.map(({ prompt, tokens, mask, logp, text, finish, temperature, columns }, row) => ({
    row,
    group: sampled.group[row],
    promptId: prompt.id,
    prompt: prompt.text,
    golds: prompt.golds,
    text,
    finish,
    reward: number(rewards[row]),
    rewards: Object.fromEntries(names.map((name, k) => [name, number(components[row * names.length + k])])),
    advantage: credit.get(row) ?? null,
    tokens: [...tokens],
    logp: [...logp],
    ...(mask.includes(0) ? { mask: [...mask] } : {}),
    temperature,
    ...(composition.environment === undefined ? {} : { episode: rowValues(columns) }),
  }));
}

/** Values of the whole response; its tokens and texts are in the record already. */
const rowValues = (columns: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(columns).filter(([name, value]) => name !== "lastTurn" && !Array.isArray(value)));

/** Advantage of each trained row by its place among the sampled: one number when all its tokens share it. */
function creditByRow(trained: Batch): Map<number, number | number[]> {
  if (trained.rows === 0 || !trained.has("advantages")) return new Map();
  const places = trained.i32("rolloutRow");
  return new Map(
    Array.from(places, (place, row) => {
      const values = [...trained.tokensOf("advantages", row)];
      return [place, values.every((value) => value === values[0]) ? (values[0] ?? 0) : values] as const;
    }),
  );
}
