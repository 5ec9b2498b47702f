export * from "./backend.js";
export * from "./loss.js";
export * from "./tokenizer.js";
