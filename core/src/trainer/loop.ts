import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeContamination } from "../data/index.js";
import { CheckpointError } from "../errors.js";
import type { Metrics } from "../extension/index.js";
import { Reporter } from "../report/reporter.js";
import type { RunObserver, SessionFacts } from "./events.js";
import type { Job } from "./job.js";
import { prefixed } from "./metrics.js";
import { Saves } from "./saves.js";
import { bestOf } from "./selection.js";
import { Stopwatch } from "./stopwatch.js";
import {
  bestStep,
  type Checkpoint,
  type EventRecord,
  keepAsBest,
  latestCheckpoint,
  type MetricsRecord,
  type RunFolder,
} from "./store/index.js";
import { type RunSummary, summaryOf } from "./summary.js";
import { type Alarm, alarmsOf } from "./watch.js";

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

/**
 * Runs a job to its end, or to the step in which a stop is asked for: null then. `UsageError` while another process is at work
 * on the folder, `CheckpointError` when the disk is full.
 */
export async function runLoop(job: Job, options: LoopOptions): Promise<RunSummary | null> {
  const { folder, resume = false, description, onEvent = () => {}, signal } = options;
  folder.lock();
  const reporter = new Reporter(folder, { description }, (message) => onEvent({ type: "warning", message }));
  const loop = new Loop(job, folder, reporter, onEvent);
  try {
    return await loop.run(resume, signal);
  } catch (error) {
    throw isDiskFull(error) ? diskFull(folder.path, error) : error;
  } finally {
    folder.close();
  }
}

/** Also of errors that crossed from a worker, which keep their message alone. */
const isDiskFull = (error: unknown): boolean => /\b(ENOSPC|EDQUOT)\b/.test(String((error as Error).message));

const diskFull = (path: string, cause: unknown): CheckpointError =>
  new CheckpointError("the disk is full: the run was broken off", {
    file: path,
    hint: `make room, or bound trainer.rollouts and trainer.keepCheckpoints; then: proximal resume ${path}`,
    cause,
  });

const ENDLESS =
  "the tokenizer names no token that ends a response, which then runs to sampling.maxTokens: name one as eos_token in tokenizer_config.json, or as eos_token_id in generation_config.json";

class Loop {
  private readonly started = performance.now();
  /** Wall clock of earlier sessions, seconds. */
  private earlier = 0;
  private readonly saves: Saves;
  /** Response tokens drawn so far. */
  private drawn = 0;
  /** What metrics.jsonl holds. */
  private records: MetricsRecord[] = [];
  /** Why the run ends before its last step. */
  private ended: RunSummary["ended"] | null = null;

  constructor(
    private readonly job: Job,
    private readonly folder: RunFolder,
    private readonly reporter: Reporter,
    private readonly emit: RunObserver,
  ) {
    this.saves = new Saves(job, folder, (saved) => emit({ type: "checkpoint", step: saved.manifest.step, folder: saved.folder }));
  }

  private get seconds(): number {
    return this.earlier + (performance.now() - this.started) / 1000;
  }

  async run(resume: boolean, signal: AbortSignal | undefined): Promise<RunSummary | null> {
    const { job } = this;
    const first = resume ? await this.restore() : 0;
    const facts = factsOf(job);
    this.emit({ type: "start", steps: job.steps, from: first, facts });
    const contaminated = facts.contamination && describeContamination(facts.contamination);
    if (contaminated !== null) this.emit({ type: "warning", message: contaminated });
    if (job.policy.tokenizer.stopTokens.length === 0) this.emit({ type: "warning", message: ENDLESS });
    this.folder.keepVocabulary(job.policy.tokenizer);
    if (first === 0) await job.prepare();
    const firstEvaluation = first === 0 ? await this.evaluate(0) : null;
    const sessionStart = performance.now();
    let steps = first;
    while (!this.isDone(steps)) {
      const step = ++steps;
      const { record, alarm } = await this.step(step, step === 1 ? firstEvaluation : null);
      const secondsLeft = ((performance.now() - sessionStart) / 1000 / (steps - first)) * this.stepsLeft(steps);
      this.emit({ type: "step", steps: job.steps, record, secondsLeft });
      if (alarm?.action === "rollback") {
        steps = await this.rollBack(alarm, step);
        continue;
      }
      if ((signal?.aborted || alarm?.action === "pause") && !this.isDone(steps)) return this.stop(steps);
      if (this.isDone(steps) || this.saves.isDue(steps)) {
        await this.save(steps);
        if (!this.isDone(steps)) await this.reporter.update();
      }
    }
    return this.finish(steps);
  }

  /** Step `step`, from 1, and the evaluation after it. */
  private async step(step: number, firstEvaluation: Metrics | null): Promise<{ record: MetricsRecord; alarm: Alarm | null }> {
    const { job, folder } = this;
    const { metrics, rollouts } = await job.step(step - 1, { rollouts: folder.wantsRollouts(step) });
    this.drawn += metrics.drawnTokens ?? 0;
    if (rollouts !== undefined) folder.writeRollouts(step, rollouts);
    const clock = new Stopwatch();
    const evaluation = this.isEvaluationDue(step) ? await this.evaluate(step) : null;
    const record = folder.appendMetrics({
      ...metrics,
      ...(firstEvaluation === null ? {} : prefixed("evalStart", firstEvaluation)),
      ...(evaluation === null ? {} : { ...prefixed("eval", evaluation), secondsEvaluate: clock.total }),
    });
    this.records.push(record);
    // Before a checkpoint: it has to know all that was told of its steps.
    const alarm = this.watch(step);
    if (evaluation !== null && alarm?.action !== "rollback") await this.select(step);
    return { record, alarm };
  }

  /** Keeps the best checkpoint and ends a run that does not get better. */
  private async select(step: number): Promise<void> {
    const { selection } = this.job;
    const best = selection && bestOf(this.records, selection);
    if (!best) return;
    if (best.step === step && selection.keepBest) keepAsBest(this.folder.checkpoints, (await this.save(step)).folder);
    if (selection.patience !== null && best.since >= selection.patience) this.ended = "patience";
  }

  /** Tells what the watchdogs found in the newest step. Returns the alarm that something has to follow from, if any. */
  private watch(step: number): Alarm | null {
    const alarms = alarmsOf(this.job.watchdogs ?? [], this.records, this.job.intervention?.attempt ?? 0);
    for (const { source, action, message } of alarms) {
      if (action !== "rollback") this.event({ step, kind: action === "warn" ? "warning" : action, source, message });
    }
    const strongest = (["rollback", "stop", "pause"] as const).map((action) => alarms.find((alarm) => alarm.action === action));
    const alarm = strongest.find((found) => found !== undefined) ?? null;
    if (alarm?.action === "stop") this.ended = "watchdog";
    return alarm;
  }

  private event(event: EventRecord): void {
    this.folder.appendEvent(event);
    this.emit({ type: "warning", message: `step ${event.step}: ${event.message}` });
  }

  /** Back to the newest checkpoint, with another noise and a smaller learning rate. Returns its steps. */
  private async rollBack({ source, message, learningRateFactor }: Alarm, step: number): Promise<number> {
    const { job, folder } = this;
    const before = job.intervention!;
    const checkpoint = await latestCheckpoint(folder.checkpoints, () => {});
    if (checkpoint === null) {
      throw new CheckpointError(`step ${step}: ${message}; there is no whole checkpoint to go back to`, { file: folder.checkpoints });
    }
    const backTo = checkpoint.manifest.step;
    await this.saves.load(checkpoint);
    // What was told stays: only results are taken back.
    folder.rewind({ ...checkpoint.manifest.offsets, events: folder.syncRecords().events });
    this.remember();
    const intervention = { attempt: before.attempt + 1, learningRateFactor: before.learningRateFactor * learningRateFactor };
    job.intervene!(intervention);
    const change = `back to step ${backTo}, with other samples and ${intervention.learningRateFactor} × the learning rate`;
    this.event({ step, kind: "rollback", source, message: `${message}: ${change}`, backTo, intervention });
    return backTo;
  }

  private remember(): void {
    this.records = this.folder.metrics();
    this.drawn = this.records.reduce((sum, { drawnTokens }) => sum + (drawnTokens ?? 0), 0);
  }

  /** Saves and leaves the rest of the run to `resume`. */
  private async stop(step: number): Promise<null> {
    await this.save(step);
    await this.reporter.write();
    this.emit({ type: "stopped", step, folder: this.folder.path });
    return null;
  }

  private isDone(steps: number): boolean {
    const { tokenBudget } = this.job;
    return this.ended !== null || steps >= this.job.steps || (typeof tokenBudget === "number" && this.drawn >= tokenBudget);
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

  private save(step: number): Promise<Checkpoint> {
    return this.saves.write(step, this.seconds);
  }

  /** Steps that are done. */
  private async restore(): Promise<number> {
    const checkpoint = await latestCheckpoint(this.folder.checkpoints, (error) =>
      this.emit({ type: "warning", message: `${error.describe()}: an earlier checkpoint is used` }),
    );
    if (checkpoint === null) {
      this.emit({ type: "warning", message: "there is no whole checkpoint: the run starts from its beginning" });
      this.folder.rewind({ metrics: 0, events: 0, rollouts: 0 });
      return 0;
    }
    this.earlier = await this.saves.load(checkpoint);
    this.folder.rewind(checkpoint.manifest.offsets);
    this.remember();
    this.reselect(checkpoint);
    return checkpoint.manifest.step;
  }

  /** What the steps before the checkpoint decided: a crash may have come between a decision and what follows from it. */
  private reselect({ manifest: { step }, folder }: Checkpoint): void {
    const last = this.folder.events().at(-1);
    if (last?.kind === "stop" && last.step === step) this.ended = "watchdog";
    const { selection } = this.job;
    const best = selection && bestOf(this.records, selection);
    if (!best) return;
    if (selection.keepBest && best.step === step && bestStep(this.folder.checkpoints) !== step) keepAsBest(this.folder.checkpoints, folder);
    if (selection.patience !== null && best.since >= selection.patience) this.ended = "patience";
  }

  private endOf(steps: number): RunSummary["ended"] {
    return this.ended ?? (steps >= this.job.steps ? "steps" : "tokenBudget");
  }

  private async finish(steps: number): Promise<RunSummary> {
    const model = join(this.folder.path, "model");
    mkdirSync(model, { recursive: true });
    await this.job.policy.export(model);
    const summary = summaryOf(
      this.records,
      { steps, seed: this.job.seed, ended: this.endOf(steps), selection: this.job.selection },
      this.seconds,
    );
    this.folder.finish(summary);
    await this.reporter.write();
    this.emit({ type: "end", summary, folder: this.folder.path });
    return summary;
  }
}

function factsOf({ policy, data: { train, held, contamination } }: Job): SessionFacts {
  const { architecture, parameters, engine, suggestedSampling = null } = policy.info;
  const sizes = { prompts: train.size, held: held?.size ?? 0, dropped: train.dropped };
  return { architecture, parameters, engine, suggestedSampling, ...sizes, contamination };
}
