export * from "./checkpoint.js";
export * from "./run-folder.js";
