export * from "./aggregation.js";
export * from "./evaluate.js";
export * from "./explain.js";
export * from "./part.js";
export * from "./program.js";
export * from "./span.js";
