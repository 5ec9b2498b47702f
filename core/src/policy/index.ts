export * from "./backend.js";
export * from "./loss.js";
export * from "./token-offsets.js";
export * from "./tokenizer.js";
