export { type DiscoverOptions, discover } from "./discover.js";
export { type Resolution, type ResolveOptions, resolveConfig, resolveRun } from "./resolve.js";
