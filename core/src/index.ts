import "reflect-metadata";

export * from "./errors.js";
export * from "./extension/index.js";
export * from "./objective/index.js";
export * from "./policy/index.js";
export * from "./rollout/index.js";
export * from "./tensor/index.js";
