export * from "./generation/index.js";
export * from "./lowering/index.js";
export * from "./model/index.js";
export * from "./session/index.js";
