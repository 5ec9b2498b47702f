/** What server and page exchange, as JSON. */

export type RunStatus = "running" | "finished" | "stopped";

export interface RunEntry {
  /** Path of the run folder below the dashboard's folder. */
  id: string;
  name: string;
  kind: "train" | "sft";
  algorithm: string | null;
  seed: number | null;
  status: RunStatus;
  /** Steps done, and asked for. */
  steps: number;
  planned: number | null;
  reward: number | null;
  /** Newest held-out accuracy. */
  accuracy: number | null;
  /** When the run was started, milliseconds since 1970. */
  started: number;
  /** Newest change of a file, milliseconds since 1970. */
  updated: number;
  /** Changes when the run is started over: what was loaded of it is void. */
  generation: string;
}

export interface SystemUse {
  /** Processor time in use, 0 to 1 over all cores, since the last message. */
  cpu: number;
  cores: number;
  /** MiB. */
  memoryUsed: number;
  memoryTotal: number;
}

/** One message of the event stream. */
export interface Tick {
  runs: RunEntry[];
  system: SystemUse;
}

export type MetricsRecord = Readonly<Record<string, number | null>>;

export interface MetricsPage {
  generation: string;
  /** Index of the first record. */
  from: number;
  records: MetricsRecord[];
}

export interface RunWarning {
  title: string;
  detail: string;
}

export interface RewardShare {
  name: string;
  weight: number;
  first: number;
  last: number;
  contribution: number;
}

/** What trainer and watchdogs said in a step. */
export interface RunEventRecord {
  step: number;
  kind: string;
  source: string;
  message: string;
}

export interface RunDetails {
  config: unknown;
  /** Parts, options and conventions, in lines; empty where the run's plugins are not installed here. */
  description: string[];
  warnings: RunWarning[];
  shares: RewardShare[];
  /** The newest ones, newest first. */
  events: RunEventRecord[];
  /** Steps with rollouts. */
  steps: number[];
}

export interface RowSummary {
  row: number;
  text: string;
  finish: string;
  reward: number | null;
  rewards: Record<string, number | null>;
  correct: number | null;
  length: number;
  /** Mean over the tokens; null for a row that was not trained on. */
  advantage: number | null;
  /** Tokens that a rule of the gate limited. */
  limited: number;
}

export interface GroupSummary {
  group: number;
  prompt: string;
  golds: string[];
  rows: RowSummary[];
}

export interface StepSamples {
  step: number;
  /** Reward components in order. */
  components: string[];
  groups: GroupSummary[];
}

/** One entry a token; null where a value does not exist. */
export interface RowTokens {
  row: number;
  ids: number[];
  texts: string[];
  mask: number[];
  /** The sampler's log-prob, nats. */
  logp: (number | null)[];
  /** The rest is null for a row that was not trained on. */
  advantage: (number | null)[] | null;
  newLogp: (number | null)[] | null;
  ratio: (number | null)[] | null;
  gate: (number | null)[] | null;
  limitedBy: (string | null)[] | null;
  facts: Record<string, (number | null)[]>;
}

/** How reward and length go together over a step's responses. */
export interface StepRelation {
  step: number;
  length: number;
  reward: number | null;
  /** Pearson's correlation of length and reward; null where one of them does not vary. */
  lengthReward: number | null;
  /** The same of length and each component. */
  components: Record<string, number | null>;
}
