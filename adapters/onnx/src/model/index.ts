export * from "./config.js";
export * from "./layers.js";
export * from "./lora.js";
export * from "./parameters.js";
export * from "./transformer.js";
export * from "./weights.js";
