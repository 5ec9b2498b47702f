import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DataSets, describeContamination } from "../data/index.js";
import type { Metrics } from "../extension/index.js";
import type { PolicyBackend } from "../policy/index.js";
import { Reporter } from "../report/reporter.js";
import type { RunObserver, SessionFacts } from "./events.js";
import { prefixed } from "./metrics.js";
import { fromJson, toJson } from "./serialize.js";
import { Stopwatch } from "./stopwatch.js";
import { type Checkpoint, latestCheckpoint, pruneCheckpoints, type RunFolder, type StoredRow, writeCheckpoint } from "./store/index.js";
import { type RunSummary, summaryOf } from "./summary.js";
import { runtimeVersions } from "./versions.js";

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

export interface LoopOptions {
  folder: RunFolder;
  /** Continue from the newest checkpoint that is whole; from the start when there is none. */
  resume?: boolean;
  /** What the run does, in lines, for the head of its report. */
  description?: readonly string[];
  onEvent?: RunObserver;
  /** When it is aborted, the current step is finished and saved. */
  signal?: AbortSignal;
}

/** Runs a job to its end, or to the step in which a stop is asked for: null then. */
export async function runLoop(job: Job, options: LoopOptions): Promise<RunSummary | null> {
  const { folder, resume = false, description, onEvent = () => {}, signal } = options;
  const reporter = new Reporter(folder, { description }, (message) => onEvent({ type: "warning", message }));
  const loop = new Loop(job, folder, reporter, onEvent);
  try {
    return await loop.run(resume, signal);
  } finally {
    folder.close();
  }
}

/** Share of the run time that automatic checkpoints may take, and the shortest time between two, seconds. */
const CHECKPOINT_SHARE = 0.05;
const CHECKPOINT_SECONDS = 5;

/** Whether to save after `done` steps, given the seconds since the last checkpoint and those that it took. */
export function isCheckpointDue(every: Job["checkpointEvery"], done: number, last: { secondsAgo: number; seconds: number }): boolean {
  if (every !== "auto") return done % every === 0;
  return last.secondsAgo >= Math.max(CHECKPOINT_SECONDS, last.seconds / CHECKPOINT_SHARE);
}

class Loop {
  private readonly started = performance.now();
  /** Wall clock of earlier sessions, seconds. */
  private earlier = 0;
  private saved = { at: performance.now(), seconds: 0 };
  /** Response tokens drawn so far. */
  private drawn = 0;

  constructor(
    private readonly job: Job,
    private readonly folder: RunFolder,
    private readonly reporter: Reporter,
    private readonly emit: RunObserver,
  ) {}

  private get seconds(): number {
    return this.earlier + (performance.now() - this.started) / 1000;
  }

  private get lastSave(): { secondsAgo: number; seconds: number } {
    return { secondsAgo: (performance.now() - this.saved.at) / 1000, seconds: this.saved.seconds };
  }

  async run(resume: boolean, signal: AbortSignal | undefined): Promise<RunSummary | null> {
    const { job } = this;
    const first = resume ? await this.restore() : 0;
    const facts = factsOf(job);
    this.emit({ type: "start", steps: job.steps, from: first, facts });
    const contaminated = facts.contamination && describeContamination(facts.contamination);
    if (contaminated !== null) this.emit({ type: "warning", message: contaminated });
    this.folder.keepVocabulary(job.policy.tokenizer);
    if (first === 0) await job.prepare();
    const firstEvaluation = first === 0 ? await this.evaluate(0) : null;
    const sessionStart = performance.now();
    let steps = first;
    while (!this.isDone(steps)) {
      const step = steps++;
      const { metrics, rollouts } = await job.step(step, { rollouts: this.folder.wantsRollouts(step + 1) });
      this.drawn += metrics.drawnTokens ?? 0;
      if (rollouts !== undefined) this.folder.writeRollouts(step + 1, rollouts);
      const clock = new Stopwatch();
      const evaluation = this.isEvaluationDue(step + 1) ? await this.evaluate(step + 1) : null;
      const record = this.folder.appendMetrics({
        ...metrics,
        ...(step === 0 && firstEvaluation !== null ? prefixed("evalStart", firstEvaluation) : {}),
        ...(evaluation === null ? {} : { ...prefixed("eval", evaluation), secondsEvaluate: clock.total }),
      });
      const secondsLeft = ((performance.now() - sessionStart) / 1000 / (steps - first)) * this.stepsLeft(steps);
      this.emit({ type: "step", steps: job.steps, record, secondsLeft });
      if (metrics.skipped)
        this.emit({ type: "warning", message: `step ${step + 1}: ${metrics.skipped} update(s) skipped: loss or gradient is not finite` });
      if (metrics.updates === 0) this.emit({ type: "warning", message: `step ${step + 1}: no response was left to train on` });
      if (signal?.aborted && !this.isDone(steps)) {
        await this.save(step + 1);
        await this.reporter.write();
        this.emit({ type: "stopped", step: step + 1, folder: this.folder.path });
        return null;
      }
      if (this.isDone(steps)) await this.save(step + 1);
      else if (isCheckpointDue(job.checkpointEvery, step + 1, this.lastSave)) {
        await this.save(step + 1);
        await this.reporter.update();
      }
    }
    return this.finish(steps);
  }

  private isDone(steps: number): boolean {
    const { tokenBudget } = this.job;
    return steps >= this.job.steps || (typeof tokenBudget === "number" && this.drawn >= tokenBudget);
  }

  /** Steps to come, at the tokens that a step took so far. */
  private stepsLeft(steps: number): number {
    const { tokenBudget } = this.job;
    const left = this.isDone(steps) ? 0 : this.job.steps - steps;
    return typeof tokenBudget === "number" ? Math.min(left, ((tokenBudget - this.drawn) * steps) / Math.max(1, this.drawn)) : left;
  }

  private isEvaluationDue(done: number): boolean {
    return this.isDone(done) || (this.job.evaluateEvery > 0 && done % this.job.evaluateEvery === 0);
  }

  private async evaluate(step: number): Promise<Metrics | null> {
    const metrics = await this.job.evaluate(step);
    if (metrics !== null) this.emit({ type: "evaluation", step, metrics });
    return metrics;
  }

  private async save(step: number): Promise<void> {
    const start = performance.now();
    const offsets = { metrics: this.folder.syncMetrics(), rollouts: step };
    const { job, folder } = this;
    const checkpoint = await writeCheckpoint(
      folder.checkpoints,
      { step, offsets, versions: runtimeVersions(job.policy.info.engine) },
      async (draft) => {
        mkdirSync(join(draft, "policy"));
        await job.policy.save(join(draft, "policy"));
        writeFileSync(join(draft, "trainer.json"), toJson({ seconds: this.seconds, job: job.save() }));
      },
    );
    await pruneCheckpoints(folder.checkpoints, job.keepCheckpoints);
    const now = performance.now();
    this.saved = { at: now, seconds: (now - start) / 1000 };
    this.emit({ type: "checkpoint", step, folder: checkpoint.folder });
  }

  /** Steps that are done. */
  private async restore(): Promise<number> {
    const checkpoint = await latestCheckpoint(this.folder.checkpoints, (error) =>
      this.emit({ type: "warning", message: `${error.describe()}: an earlier checkpoint is used` }),
    );
    if (checkpoint === null) {
      this.emit({ type: "warning", message: "there is no whole checkpoint: the run starts from its beginning" });
      this.folder.rewind({ metrics: 0, rollouts: 0 });
      return 0;
    }
    await this.load(checkpoint);
    this.folder.rewind(checkpoint.manifest.offsets);
    this.drawn = this.folder.metrics().reduce((sum, { drawnTokens }) => sum + (drawnTokens ?? 0), 0);
    return checkpoint.manifest.step;
  }

  private async load({ folder }: Checkpoint): Promise<void> {
    const saved = fromJson(readFileSync(join(folder, "trainer.json"), "utf8")) as { seconds: number; job: unknown };
    this.earlier = saved.seconds;
    this.job.restore(saved.job);
    await this.job.policy.restore(join(folder, "policy"));
  }

  private async finish(steps: number): Promise<RunSummary> {
    const model = join(this.folder.path, "model");
    mkdirSync(model, { recursive: true });
    await this.job.policy.export(model);
    const summary = summaryOf(this.folder.metrics(), { steps, seed: this.job.seed }, this.seconds);
    this.folder.finish(summary);
    await this.reporter.write();
    this.emit({ type: "end", summary, folder: this.folder.path });
    return summary;
  }
}

function factsOf({ policy, data: { train, held, contamination } }: Job): SessionFacts {
  const { architecture, parameters, engine } = policy.info;
  return { architecture, parameters, engine, prompts: train.size, held: held?.size ?? 0, dropped: train.dropped, contamination };
}
