export * from "./backend.js";
export * from "./char-tokenizer.js";
export * from "./loss.js";
export * from "./shared-prompt.js";
export * from "./stop-strings.js";
export * from "./tabular-policy.js";
export * from "./token-offsets.js";
export * from "./tokenizer.js";
