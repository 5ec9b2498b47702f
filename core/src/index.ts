import "reflect-metadata";

export { type Static, Type } from "typebox";
export * from "./builtin/index.js";
export * from "./compare/index.js";
export * from "./config/index.js";
export * from "./conformance/index.js";
export * from "./data/index.js";
export * from "./dry-run/index.js";
export * from "./errors.js";
export * from "./extension/index.js";
export { makeFolder, writeOut } from "./folder.js";
export * from "./objective/index.js";
export * from "./policy/index.js";
export * from "./registry/index.js";
export * from "./report/index.js";
export * from "./rollout/index.js";
export * from "./tensor/index.js";
export * from "./trainer/index.js";
