import type { ResolvedConfig } from "../config/resolve.js";
import type { EvaluationSection, OptimizerSection, SamplingSection, TrainerSection } from "../config/schema.js";

export type SamplingSettings = SamplingSection;
export type LoopSettings = Omit<TrainerSection, "aggregation">;
export type EvaluationSettings = EvaluationSection;

/** What the sections of a config say to the trainer; a `ResolvedConfig` is one. */
export interface RunSettings {
  seed: ResolvedConfig["seed"];
  sampling: SamplingSettings;
  optimizer: OptimizerSection;
  trainer: LoopSettings;
  evaluation: EvaluationSettings;
}
