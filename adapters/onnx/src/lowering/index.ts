export { absent, Subgraph, substitute } from "./attributes.js";
export { choose } from "./choose.js";
export type { Profile } from "./emit/emission.js";
export type { ElementType, TensorData } from "./graph.js";
export { type LoopOptions, type LoopResult, type LoopStep, loop } from "./loop.js";
export { type LoweredGraph, type LowerOptions, lower, type TensorSpec } from "./lower.js";
export type { StoredWeight } from "./model.js";
