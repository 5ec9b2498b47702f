import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { CheckpointError, DataError, UsageError } from "../../errors.js";
import type { Metrics } from "../../extension/index.js";
import type { Offsets } from "./checkpoint.js";
import { writeDurably } from "./files.js";

/** Everything that a run writes; overwriting a run deletes these and nothing else. The summary goes first. */
const CONTENTS = ["summary.json", "run.json", "config.json", "metrics.jsonl", "rollouts", "checkpoints", "model", "report.html"] as const;

export type RunKind = "train" | "sft";

/** How a run was started. */
export interface RunOrigin {
  kind: RunKind;
  /** Folder that the config's plugins were looked for in. */
  folder: string;
}

/** One record of metrics.jsonl; null where a value did not exist. */
export type MetricsRecord = Readonly<Record<string, number | null>>;

/** One line of rollouts/step-N.jsonl.gz. */
export type RolloutRecord = Readonly<Record<string, unknown>>;

/** The folder of one run. A run is finished when its summary exists. */
export class RunFolder {
  private metrics: number | null = null;

  private constructor(readonly path: string) {}

  /** `UsageError` when the folder cannot take a new run: something is there already that may not be replaced. */
  static check(path: string, { overwrite = false } = {}): void {
    if (!existsSync(path) || readdirSync(path).length === 0) return;
    const folder = new RunFolder(path);
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
    for (const name of CONTENTS) rmSync(join(path, name), { recursive: true, force: true });
    mkdirSync(join(path, "checkpoints"), { recursive: true });
    mkdirSync(join(path, "rollouts"), { recursive: true });
    const write = (name: string, value: unknown) => writeDurably(join(path, name), `${JSON.stringify(value, null, 2)}\n`);
    write("run.json", { formatVersion: 1, ...origin });
    write("config.json", config);
    return new RunFolder(path);
  }

  /** The folder of an existing run. */
  static open(path: string): RunFolder {
    const folder = new RunFolder(path);
    if (folder.holds("config.json") && folder.holds("run.json")) return folder;
    throw new UsageError(existsSync(path) ? "the folder holds no run" : "there is no such run", {
      file: path,
      accepted: "a folder that `proximal train` or `proximal sft` wrote",
    });
  }

  get checkpoints(): string {
    return join(this.path, "checkpoints");
  }

  get finished(): boolean {
    return this.holds("summary.json");
  }

  get origin(): RunOrigin {
    return JSON.parse(readFileSync(join(this.path, "run.json"), "utf8")) as RunOrigin;
  }

  get config(): unknown {
    return JSON.parse(readFileSync(join(this.path, "config.json"), "utf8"));
  }

  get summary(): unknown {
    return JSON.parse(readFileSync(join(this.path, "summary.json"), "utf8"));
  }

  private get metricsFile(): string {
    return join(this.path, "metrics.jsonl");
  }

  private holds(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  /** Cuts metrics and rollouts to what a checkpoint knows; the run is no longer finished. */
  rewind({ metrics, rollouts }: Offsets): void {
    rmSync(join(this.path, "summary.json"), { force: true });
    if (existsSync(this.metricsFile)) {
      const size = statSync(this.metricsFile).size;
      if (size < metrics) {
        throw new CheckpointError(`metrics.jsonl has ${size} bytes, fewer than the ${metrics} that the checkpoint knows`, {
          file: this.metricsFile,
        });
      }
      truncateSync(this.metricsFile, metrics);
    } else if (metrics > 0) throw new CheckpointError("the run has lost its metrics.jsonl", { file: this.metricsFile });
    const folder = join(this.path, "rollouts");
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) if (rolloutStep(name) > rollouts) rmSync(join(folder, name));
  }

  appendMetrics(metrics: Metrics): MetricsRecord {
    this.metrics ??= openSync(this.metricsFile, "a");
    const record = Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
    writeSync(this.metrics, `${JSON.stringify(record)}\n`);
    return record;
  }

  /** Every whole line: a last line that a crash, or a run at work, left unended is passed over. */
  readMetrics(): MetricsRecord[] {
    if (!existsSync(this.metricsFile)) return [];
    const lines = readFileSync(this.metricsFile, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as MetricsRecord);
  }

  /** `step` counts from 1, as in the metrics. */
  writeRollouts(step: number, rows: readonly RolloutRecord[]): void {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    writeDurably(this.rolloutFile(step), gzipSync(text, { level: 6 }));
  }

  readRollouts(step: number): RolloutRecord[] {
    return [...this.rollouts(step)];
  }

  /** The rows of a step one by one, parsed as they are asked for. */
  *rollouts(step: number): Generator<RolloutRecord> {
    const file = this.rolloutFile(step);
    if (!existsSync(file)) throw new DataError(`the run has no rollouts of step ${step}`, { file });
    const lines = gunzipSync(readFileSync(file)).toString("utf8").split("\n");
    for (const line of lines) if (line !== "") yield JSON.parse(line) as RolloutRecord;
  }

  /** Steps whose rollouts are there, ascending. */
  rolloutSteps(): number[] {
    const folder = join(this.path, "rollouts");
    if (!existsSync(folder)) return [];
    const steps = readdirSync(folder).map(rolloutStep).filter(Number.isFinite);
    return steps.sort((a, b) => a - b);
  }

  private rolloutFile(step: number): string {
    return join(this.path, "rollouts", `step-${String(step).padStart(6, "0")}.jsonl.gz`);
  }

  /** Bytes of metrics that are on the disk now. */
  syncMetrics(): number {
    if (this.metrics !== null) fsyncSync(this.metrics);
    return existsSync(this.metricsFile) ? statSync(this.metricsFile).size : 0;
  }

  /** Writes the summary, last of all. */
  finish(summary: unknown): void {
    this.close();
    writeDurably(join(this.path, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  }

  close(): void {
    if (this.metrics === null) return;
    fsyncSync(this.metrics);
    closeSync(this.metrics);
    this.metrics = null;
  }
}

const rolloutStep = (name: string): number => Number(/^step-(\d+)\.jsonl\.gz$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
