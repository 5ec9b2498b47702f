import type { OptimizerOptions } from "../policy/index.js";
import type { ScheduleOptions } from "./schedule.js";

export interface SamplingSettings {
  /** Longest response, tokens. */
  maxTokens: number;
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
}

export interface LoopSettings {
  /** Training steps: batches sampled. */
  steps: number;
  /** Passes over each batch. */
  epochs: number;
  /** Optimizer updates a pass. */
  miniBatches: number;
  /** Score the batch again for `oldLogp` instead of keeping the sampler's log-probs. */
  recomputeOldLogp: boolean;
  /** Steps between checkpoints; `auto` = as often as 5 % of the run time allows. */
  checkpointEvery: "auto" | number;
  /** Checkpoints kept; older ones are deleted. */
  keepCheckpoints: number;
}

export interface EvaluationSettings {
  /** Steps between held-out evaluations; 0 = only before the first and after the last step. */
  every: number;
  /** At most this many prompts. */
  limit: number;
  /** Take the likeliest token instead of sampling. */
  greedy: boolean;
  /** Responses a prompt. */
  samples: number;
}

/** What the sections of a config say to the trainer. */
export interface RunSettings {
  seed: number;
  sampling: SamplingSettings;
  optimizer: OptimizerOptions & ScheduleOptions;
  trainer: LoopSettings;
  evaluation: EvaluationSettings;
}
