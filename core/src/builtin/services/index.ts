export * from "./hashed-ngrams.js";
export * from "./openai.js";
export * from "./token-overlap.js";
