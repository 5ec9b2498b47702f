import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import type { RolloutsSection } from "../../config/schema.js";
import { CheckpointError, UsageError } from "../../errors.js";
import type { Metrics } from "../../extension/index.js";
import { makeFolder, requireWritable } from "../../folder.js";
import type { Tokenizer } from "../../policy/index.js";
import type { Offsets } from "./checkpoint.js";
import { writeDurably } from "./files.js";
import { refuseLocked, takeLock } from "./lock.js";
import { type EventRecord, type MetricsRecord, type RunOrigin, RunReader } from "./reader.js";
import { RUN_FORMAT } from "./rollout-file.js";
import type { StoredRow } from "./rollout-row.js";
import { RolloutFiles } from "./rollouts.js";
import { writeVocabulary } from "./vocabulary.js";

/** Everything that a run writes; overwriting a run deletes these and nothing else. The summary goes first. */
const CONTENTS = [
  "summary.json",
  "run.json",
  "config.json",
  "metrics.jsonl",
  "exports",
  "events.jsonl",
  "rollouts",
  "checkpoints",
  "model",
  "report.html",
] as const;

/** The folder of a run that is at work. */
export class RunFolder extends RunReader {
  private readonly handles = new Map<string, number>();
  private unlock: (() => void) | null = null;
  private files: RolloutFiles | undefined;

  /** `UsageError` when the folder cannot take a new run: something is there already that may not be replaced. */
  static check(path: string, { overwrite = false } = {}): void {
    requireWritable(path);
    if (!existsSync(path)) return;
    if (readdirSync(path).length === 0) return;
    const folder = new RunFolder(path);
    refuseLocked(folder.lockFile);
    if (!folder.holds("config.json")) {
      throw new UsageError("the output folder holds something that is no run", { file: path, hint: "choose another folder with --out" });
    }
    if (overwrite) return;
    const ways = "start over with --overwrite, or choose another folder with --out";
    throw new UsageError(`the output folder holds ${folder.finished ? "a finished" : "an unfinished"} run`, {
      file: path,
      hint: folder.finished ? ways : `continue it with: proximal resume ${path}; or ${ways}`,
    });
  }

  /** A folder for a new run, emptied of what an earlier run wrote. Errors: see `check`. */
  static create(path: string, { config, ...origin }: RunOrigin & { config: unknown }, { overwrite = false } = {}): RunFolder {
    RunFolder.check(path, { overwrite });
    makeFolder(path);
    for (const name of CONTENTS) rmSync(join(path, name), { recursive: true, force: true });
    for (const name of ["checkpoints", "rollouts"]) makeFolder(join(path, name));
    const write = (name: string, value: unknown) => writeDurably(join(path, name), `${JSON.stringify(value, null, 2)}\n`);
    write("run.json", { formatVersion: RUN_FORMAT, ...origin });
    write("config.json", config);
    return new RunFolder(path);
  }

  /** The folder of an existing run. Errors: as `RunReader.read`. */
  static open(path: string): RunFolder {
    const folder = new RunFolder(path);
    folder.requireRun();
    return folder;
  }

  private get lockFile(): string {
    return join(this.path, "run.lock");
  }

  /** Keeps other processes off this run until `close`. `UsageError` when one is at work already. */
  lock(): void {
    this.unlock = takeLock(this.lockFile);
  }

  /** Cuts metrics, events and rollouts to what a checkpoint knows; the run is no longer finished. */
  rewind({ metrics, events, rollouts }: Offsets): void {
    this.closeFiles();
    rmSync(join(this.path, "summary.json"), { force: true });
    cut(this.metricsFile, metrics);
    cut(this.eventsFile, events);
    this.rolloutFiles.truncate(rollouts);
  }

  appendMetrics(metrics: Metrics): MetricsRecord {
    const record = Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
    this.append(this.metricsFile, record);
    return record;
  }

  appendEvent(event: EventRecord): void {
    this.append(this.eventsFile, event);
  }

  private append(file: string, record: object): void {
    const handle = this.handles.get(file) ?? openSync(file, "a");
    this.handles.set(file, handle);
    writeSync(handle, `${JSON.stringify(record)}\n`);
  }

  /** Whether the rollouts of a step, from 1, are to be written. */
  wantsRollouts(step: number): boolean {
    return this.rolloutFiles.wants(step);
  }

  /** `step` counts from 1, as in the metrics. */
  writeRollouts(step: number, rows: readonly StoredRow[]): void {
    this.rolloutFiles.write(step, rows);
  }

  /** Keeps the texts of all tokens, so that rollouts can be read without a model. */
  keepVocabulary(tokenizer: Tokenizer): void {
    if (!existsSync(this.vocabularyFile)) writeVocabulary(this.vocabularyFile, tokenizer);
  }

  protected override get rolloutFiles(): RolloutFiles {
    const limits = () => (this.config as { trainer?: { rollouts?: RolloutsSection } }).trainer?.rollouts;
    this.files ??= new RolloutFiles(join(this.path, "rollouts"), limits());
    return this.files;
  }

  /** Bytes of metrics and events that are on the disk now. */
  syncRecords(): Pick<Offsets, "metrics" | "events"> {
    for (const handle of this.handles.values()) fsyncSync(handle);
    const size = (file: string) => (existsSync(file) ? statSync(file).size : 0);
    return { metrics: size(this.metricsFile), events: size(this.eventsFile) };
  }

  /** Writes the summary, last of all. */
  finish(summary: unknown): void {
    this.closeFiles();
    writeDurably(join(this.path, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  }

  private closeFiles(): void {
    for (const handle of this.handles.values()) {
      try {
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
    }
    this.handles.clear();
  }

  close(): void {
    try {
      this.closeFiles();
    } finally {
      this.unlock?.();
      this.unlock = null;
    }
  }
}

/** `CheckpointError` when the file is shorter than the checkpoint knows. */
function cut(file: string, bytes: number): void {
  const size = existsSync(file) ? statSync(file).size : 0;
  if (size < bytes) {
    const what = basename(file);
    throw new CheckpointError(`${what} has ${size} bytes, fewer than the ${bytes} that the checkpoint knows`, { file });
  }
  if (size > bytes) truncateSync(file, bytes);
}
