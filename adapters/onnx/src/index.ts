export * from "./lowering/index.js";
export * from "./session/index.js";
