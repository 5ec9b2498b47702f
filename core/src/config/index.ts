export { revealSecrets } from "./annotations.js";
export type { ResolvedComponent } from "./component.js";
export type { Origin } from "./compose.js";
export { ConfigDocument, type Override, parseOverride } from "./document.js";
export { InvalidConfigError } from "./explain.js";
export * from "./installation.js";
export { didYouMean, nearest } from "./nearest.js";
export { type ResolvedConfig, resolveDocument } from "./resolve.js";
export { composeRunSchema } from "./run-schema.js";
export type {
  DataSection,
  EvaluationSection,
  OptimizerSection,
  SamplingSection,
  SftSection,
  TrainerSection,
} from "./schema.js";
