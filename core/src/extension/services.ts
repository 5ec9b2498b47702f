import type { Batch } from "../rollout/index.js";

/** Embeds texts; rows of unit length, [n][d]. */
export type Embed = (texts: readonly string[]) => Promise<number[][]>;

export interface JudgeRequest {
  prompt: string;
  completion: string;
  /** What is asked about the completion. */
  rubric?: string;
  /** Accepted answers. */
  references?: readonly string[];
}

/** Asks a judge for a grade in [0, 1] of each completion; null = failed or unparseable. */
export type Judge = (requests: readonly JudgeRequest[]) => Promise<(number | null)[]>;

/** Log-probs of the batch's response tokens under the current policy, flat over tokens, nats. */
export type ScoreTokens = (
  batch: Batch,
  options?: { temperature?: number; prompts?: readonly Int32Array[]; responses?: readonly Int32Array[] },
) => Promise<Float64Array>;

/** Flat gradient of the run's loss on the named layers (all when left out), with the given advantages [B] or [tokens]. No step. */
export type PolicyGradient = (batch: Batch, advantages: ArrayLike<number>, layers?: readonly number[]) => Promise<Float32Array>;

/**
 * Gradient of the summed log-probability of the batch's own tokens (mask 1), flat by parameter name; of all parameters when
 * none are named. No step.
 */
export type LikelihoodGradient = (batch: Batch, parameters?: readonly string[]) => Promise<Readonly<Record<string, Float32Array>>>;

/** A response that a reward function judges. */
export interface RewardSample {
  /** What the policy was shown. */
  prompt: string;
  /** What it wrote; of several turns the last one. */
  completion: string;
  /** Accepted answers of the record. */
  answers: readonly string[];
  /** Cut at the longest response. */
  truncated: boolean;
  /** The record of the data set. */
  record: Readonly<Record<string, unknown>>;
}

/** Reward of one response; null = it cannot be judged and takes no part in the update. */
export type RewardFunction = (sample: RewardSample) => number | null | Promise<number | null>;

/** The function that the calling program handed over under a name. */
export type Functions = (name: string) => RewardFunction;

/** What the config's section `judge` names. */
export interface JudgeModel {
  grade: Judge;
}

/** What the config's section `embed` names. A text that cannot be embedded is an error: there is no neutral vector. */
export interface Embedder {
  embed: Embed;
}

/** Holds exactly what a component's `requires` names; anything else throws when it is touched. */
export interface Services {
  readonly embed: Embed;
  readonly judge: Judge;
  readonly scoreTokens: ScoreTokens;
  readonly policyGradient: PolicyGradient;
  readonly likelihoodGradient: LikelihoodGradient;
  readonly functions: Functions;
}
