import type { ResolvedConfig } from "../config/resolve.js";
import type { EvaluationSection, OptimizerSection, SamplingSection, TrainerSection } from "../config/schema.js";

export type SamplingSettings = SamplingSection;
export type LoopSettings = Omit<TrainerSection, "aggregation">;
export type EvaluationSettings = EvaluationSection;

/** The part of a decode request that every response of a run has in common. */
export const drawOf = ({ topK, topP, minP, repetitionPenalty, stopStrings }: SamplingSettings) => ({
  topK,
  topP,
  minP,
  repetitionPenalty,
  stopStrings,
});

/** What the sections of a config say to the trainer; a `ResolvedConfig` is one. */
export interface RunSettings {
  seed: ResolvedConfig["seed"];
  sampling: SamplingSettings;
  optimizer: OptimizerSection;
  trainer: LoopSettings;
  evaluation: EvaluationSettings;
}
