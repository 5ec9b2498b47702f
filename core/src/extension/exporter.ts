/** The metrics of one step as they stand in metrics.jsonl; null where a value did not exist. */
export interface ExportedRecord {
  /** Steps done, from 1. */
  step: number;
  /** Milliseconds since 1970. */
  time: number;
  values: Readonly<Record<string, number | null>>;
}

/** The run that an exporter follows. */
export interface ExportedRun {
  name: string;
  kind: "train" | "sft";
  /** Folder for files of the exporter's own, inside the run folder; it exists, and goes when the run is replaced. */
  folder: string;
  /** The config as resolved; secrets are references. */
  config: Readonly<Record<string, unknown>>;
  /** Steps done before: 0 for a new run. What was exported of later ones is void. */
  from: number;
}

export type RunOutcome = "finished" | "stopped" | "failed";

/**
 * Hands the metrics of a run to something outside. Nothing of it can touch the run: the host calls beside the training, one call
 * at a time, tells of the first failure, and tries the same records again with the next ones.
 */
export interface Exporter {
  open(run: ExportedRun): Promise<void> | void;
  /** One or more records, in order. */
  write(records: readonly ExportedRecord[]): Promise<void> | void;
  close(outcome: RunOutcome): Promise<void> | void;
}
