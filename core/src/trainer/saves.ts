import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "./job.js";
import { fromJson, toJson } from "./serialize.js";
import { type Checkpoint, pruneCheckpoints, type RunFolder, writeCheckpoint } from "./store/index.js";
import { runtimeVersions } from "./versions.js";

/** Share of the run time that automatic checkpoints may take, and the shortest time between two, seconds. */
const CHECKPOINT_SHARE = 0.05;
const CHECKPOINT_SECONDS = 5;

/** Whether to save after `done` steps, given the seconds since the last checkpoint and those that it took. */
export function isCheckpointDue(every: Job["checkpointEvery"], done: number, last: { secondsAgo: number; seconds: number }): boolean {
  if (every !== "auto") return done % every === 0;
  return last.secondsAgo >= Math.max(CHECKPOINT_SECONDS, last.seconds / CHECKPOINT_SHARE);
}

/** What a job looks like on the disk: its checkpoints are written at most once a step, and loaded again. */
export class Saves {
  private last: { at: number; seconds: number; checkpoint?: Checkpoint } = { at: performance.now(), seconds: 0 };

  constructor(
    private readonly job: Job,
    private readonly folder: RunFolder,
    private readonly onSave: (checkpoint: Checkpoint) => void,
  ) {}

  isDue(done: number): boolean {
    const secondsAgo = (performance.now() - this.last.at) / 1000;
    return isCheckpointDue(this.job.checkpointEvery, done, { secondsAgo, seconds: this.last.seconds });
  }

  /** The checkpoint after `step` steps of a run that took `seconds`. */
  async write(step: number, seconds: number): Promise<Checkpoint> {
    if (this.last.checkpoint?.manifest.step === step) return this.last.checkpoint;
    const start = performance.now();
    const { job, folder } = this;
    const offsets = { ...folder.syncRecords(), rollouts: step };
    const checkpoint = await writeCheckpoint(
      folder.checkpoints,
      { step, offsets, versions: runtimeVersions(job.policy.info.engine) },
      async (draft) => {
        mkdirSync(join(draft, "policy"));
        await job.policy.save(join(draft, "policy"));
        writeFileSync(join(draft, "trainer.json"), toJson({ seconds, job: job.save() }));
      },
    );
    await pruneCheckpoints(folder.checkpoints, job.keepCheckpoints);
    const now = performance.now();
    this.last = { at: now, seconds: (now - start) / 1000, checkpoint };
    this.onSave(checkpoint);
    return checkpoint;
  }

  /** Puts the job where the checkpoint left it. Returns the seconds that the run had taken. */
  async load(checkpoint: Checkpoint): Promise<number> {
    const saved = fromJson(readFileSync(join(checkpoint.folder, "trainer.json"), "utf8")) as { seconds: number; job: unknown };
    this.job.restore(saved.job);
    await this.job.policy.restore(join(checkpoint.folder, "policy"));
    this.last.checkpoint = checkpoint;
    return saved.seconds;
  }
}
