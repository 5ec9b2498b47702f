export * from "./batch.js";
export * from "./column.js";
export * from "./log-probability.js";
export * from "./loss-mask.js";
export * from "./random.js";
export * from "./standard.js";
export * from "./tracked.js";
export * from "./trajectory.js";
