export * from "./header.js";
export * from "./model.js";
export * from "./tensors.js";
export * from "./tokenizer.js";
