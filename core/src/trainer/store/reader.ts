import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../errors.js";
import type { RunSummary } from "../summary.js";
import { RUN_FORMAT } from "./rollout-file.js";
import { derived, type RolloutRow } from "./rollout-row.js";
import { RolloutFiles } from "./rollouts.js";
import { readVocabulary } from "./vocabulary.js";

export type RunKind = "train" | "sft";

/** How a run was started. */
export interface RunOrigin {
  kind: RunKind;
  /** Folder that the config's plugins were looked for in. */
  folder: string;
}

/** One record of metrics.jsonl; null where a value did not exist. */
export type MetricsRecord = Readonly<Record<string, number | null>>;

/** One record of events.jsonl: what was noteworthy in a step. */
export interface EventRecord {
  step: number;
  kind: "warning" | "pause" | "stop" | "rollback";
  /** Who says so: a watchdog's name, or "trainer". */
  source: string;
  message: string;
  /** Of a rollback: steps that were done where the run went on, and what it went on with. */
  backTo?: number;
  intervention?: { attempt: number; learningRateFactor: number };
}

/** A run folder as it can be read at any time: at work, broken off or finished. A run is finished when its summary exists. */
export class RunReader {
  private texts: ((id: number) => string) | undefined;

  protected constructor(readonly path: string) {}

  /** `UsageError` for a folder that holds no run, or one that an older version wrote. */
  static read(path: string): RunReader {
    const run = new RunReader(path);
    run.requireRun();
    return run;
  }

  protected requireRun(): void {
    const { path } = this;
    if (!this.holds("config.json") || !this.holds("run.json")) {
      throw new UsageError(existsSync(path) ? "the folder holds no run" : "there is no such run", {
        file: path,
        accepted: "a folder that `proximal train` or `proximal sft` wrote",
      });
    }
    const { formatVersion } = this.json("run.json") as { formatVersion?: number };
    if (formatVersion === RUN_FORMAT) return;
    throw new UsageError("the run was written in another format", {
      file: join(path, "run.json"),
      given: formatVersion,
      accepted: String(RUN_FORMAT),
      hint: "read it with the version of Proximal that wrote it, or train again: equal seeds give equal runs",
    });
  }

  protected holds(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  protected json(name: string): unknown {
    return JSON.parse(readFileSync(join(this.path, name), "utf8"));
  }

  protected get metricsFile(): string {
    return join(this.path, "metrics.jsonl");
  }

  protected get eventsFile(): string {
    return join(this.path, "events.jsonl");
  }

  protected get rolloutFiles(): RolloutFiles {
    return new RolloutFiles(join(this.path, "rollouts"));
  }

  get checkpoints(): string {
    return join(this.path, "checkpoints");
  }

  get finished(): boolean {
    return this.holds("summary.json");
  }

  get origin(): RunOrigin {
    return this.json("run.json") as RunOrigin;
  }

  /** The config as resolved. */
  get config(): unknown {
    return this.json("config.json");
  }

  /** null until the run is finished. */
  get summary(): RunSummary | null {
    return this.finished ? (this.json("summary.json") as RunSummary) : null;
  }

  /** Every whole line: a last line that a crash, or a run at work, left unended is passed over. */
  metrics(): MetricsRecord[] {
    return jsonLines(this.metricsFile) as MetricsRecord[];
  }

  /** Warnings and what watchdogs did, in order. */
  events(): EventRecord[] {
    return jsonLines(this.eventsFile) as EventRecord[];
  }

  /** Steps whose rollouts are stored, ascending, from 1. */
  steps(): number[] {
    return this.rolloutFiles.steps();
  }

  /** Every sampled response of a step. `DataError` for a step without rollouts. */
  async rollouts(step: number): Promise<RolloutRow[]> {
    const rows = await this.rolloutFiles.read(step);
    return rows.map((row) => derived(row, (id) => this.tokenText(id)));
  }

  /** Text of a token; "" where it is not known. */
  tokenText(id: number): string {
    this.texts ??= readVocabulary(this.vocabularyFile);
    return this.texts(id);
  }

  protected get vocabularyFile(): string {
    return join(this.path, "rollouts", "vocabulary.json");
  }
}

/** Opens a run folder for reading. */
export const readRun = (path: string): RunReader => RunReader.read(path);

/** The values of all whole lines of a file; none when it is missing. */
export function jsonLines(file: string): unknown[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as unknown);
}
