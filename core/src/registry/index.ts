export { generate as generateManifest, outdated as outdatedFiles } from "./author.js";
export * from "./build.js";
export { type CompositionOptions, checkComposition, InvalidCompositionError } from "./check.js";
export { CORRECT_COLUMN, POLICY_COLUMNS, partsOf, REWARD_COLUMNS, ROLLOUT_COLUMNS, TEACHER_COLUMN } from "./columns.js";
export { describeRun } from "./describe.js";
export { type DiscoverOptions, discover } from "./discover.js";
export { loadAdapter, loadComponent } from "./load.js";
export type * from "./placed.js";
export { type Resolution, type ResolveOptions, resolveConfig, resolveRun } from "./resolve.js";
