import type { Batch } from "../rollout/index.js";

/** Embeds texts; rows of unit length, [n][d]. */
export type Embed = (texts: readonly string[]) => Promise<number[][]>;

/** Asks a judge for a grade in [0, 1] of each completion; null = failed or unparseable. */
export type Judge = (requests: readonly { prompt: string; completion: string; rubric?: string }[]) => Promise<(number | null)[]>;

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

/** Holds exactly what a component's `requires` names; anything else throws when it is touched. */
export interface Services {
  readonly embed: Embed;
  readonly judge: Judge;
  readonly scoreTokens: ScoreTokens;
  readonly policyGradient: PolicyGradient;
  readonly likelihoodGradient: LikelihoodGradient;
}
