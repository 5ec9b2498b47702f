export * from "./dataset.js";
export * from "./prompt.js";
export * from "./records.js";
