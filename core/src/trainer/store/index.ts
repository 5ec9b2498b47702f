export * from "./checkpoint.js";
export * from "./reader.js";
export * from "./rollout-row.js";
export * from "./run-folder.js";
