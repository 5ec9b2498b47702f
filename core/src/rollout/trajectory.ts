/** Letters used everywhere: P prompts, G groups, B rows (responses), T response tokens, V vocabulary, K components. */

export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
}

/** One record of a data set, ready to be sampled from. */
export interface Prompt {
  /** Stable identity inside the data set. */
  id: string;
  text: string;
  tokens: Int32Array;
  /** Accepted answers; empty when the record has none. */
  golds: readonly string[];
  /** The record's other fields, as read. */
  fields: Readonly<Record<string, unknown>>;
}

export type FinishReason = "stop" | "length" | "environment";

/** One response: a row of the batch. All token arrays have the same length T. */
export interface Trajectory {
  /** What the response was conditioned on; differs from its group's prompt when a hint was added. */
  prompt: Prompt;
  /** Response tokens, observations (tool output) included. The stop token, when sampled, is the last. */
  tokens: Int32Array;
  /** 1 = sampled by the policy and trained on, 0 = observation. */
  mask: Uint8Array;
  /** The sampler's log-probability of each token, nats; 0 where mask is 0. */
  logp: Float64Array;
  text: string;
  finish: FinishReason;
  /** Temperature it was sampled at. */
  temperature: number;
  /** Names the noise it was drawn with: equal in a step that is computed again. */
  noise?: number;
  /** Further row- or token-level values by column name (`hinted`, `turn`, `treePath`, …). */
  columns?: Readonly<Record<string, unknown>>;
}

/** Responses that are compared with each other; usually all of one prompt. */
export interface Group {
  prompt: Prompt;
  trajectories: readonly Trajectory[];
}
