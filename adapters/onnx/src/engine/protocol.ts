import type { ExportFormat } from "@proximal/core";
import type { ParameterSource } from "../checkpoint/files.js";
import type { DecodeJob, DecodeOutcome, Progress } from "../generation/index.js";
import type { LoweredGraph } from "../lowering/index.js";
import type { LoraOptions, TransformerConfig } from "../model/index.js";
import type { SessionOptions } from "../session/index.js";
import type { Grid } from "../update/grid.js";

/** What a session is for; at most one is live for each role. */
export type Role = "update" | "apply" | "gradients" | "score" | "prefill" | "extend" | "decode";

/** A lowered graph by its key. The graph comes with it the first time. */
export interface GraphReference {
  key: string;
  graph?: SessionGraph;
}

/** What a session is made of. */
export type SessionGraph = Pick<LoweredGraph, "bytes" | "abortOutput" | "dtype">;

/** A tensor on its way between the threads. */
export type WireTensor =
  | { type: "float32"; shape: readonly number[]; data: Float32Array<ArrayBuffer> }
  | { type: "int64"; shape: readonly number[]; data: BigInt64Array<ArrayBuffer> }
  | { type: "bool"; shape: readonly number[]; data: Uint8Array<ArrayBuffer> };

export interface ResultSpec {
  type: WireTensor["type"];
  shape: readonly number[];
}

export interface RunRequest {
  role: Role;
  /** No other worker runs meanwhile. */
  alone: boolean;
  graph: GraphReference;
  /** Inputs that are not tensors of the training state. */
  feeds: Readonly<Record<string, WireTensor>>;
  /** What is read; outputs called `next:NAME` replace the state's tensor NAME besides. */
  results: Readonly<Record<string, ResultSpec>>;
  /** Parameters are those of this snapshot. */
  snapshot?: string;
}

export interface DecodeCall {
  job: DecodeJob;
  graphs: Readonly<Record<"prefill" | "extend" | "decode", GraphReference>>;
  /** Positions that the graphs provide for. */
  positions: number;
  /** `DecodeOptions` */
  keep?: string;
  last: boolean;
  /** Responses that are decoded side by side. */
  maxRows: number;
  /** No other worker runs meanwhile. */
  alone: boolean;
}

/** Where decoding stands: at its end, or between two segments, where rows may be ended. */
export type DecodeStep = { outcome: DecodeOutcome } | { progress: Progress };

/** Output that replaces a tensor of the training state. */
export const NEXT = "next:";

export interface EngineData {
  config: TransformerConfig;
  valueHead: boolean;
  lora?: LoraOptions;
  /** Where to read parameters from; without it they are drawn. */
  checkpoint?: ParameterSource;
  seed: number;
  /** How graphs are run. */
  session: SessionOptions;
  /** Threads while other workers run; by default those of `session`. */
  sharedThreads?: number;
  /** Memory of what is kept for later calls; by default there is no limit. */
  keptBytes?: number;
}

export interface ExportCall {
  format: ExportFormat;
  /** Special tokens of config.json: `bos_token_id` and the like. */
  tokens: Readonly<Record<string, unknown>>;
}

/** What the host has to know to go on, kept with the parameters. */
export interface HostState {
  /** Optimizer steps taken; skipped ones do not count. */
  step: number;
  grids: Readonly<Record<string, Grid>>;
}
