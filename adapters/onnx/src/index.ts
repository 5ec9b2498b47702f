export { onnxAdapter, onnxAdapter as default } from "./adapter.js";
export * from "./generation/index.js";
export * from "./lowering/index.js";
export * from "./model/index.js";
export { OnnxPolicy, type OnnxPolicyParts } from "./policy.js";
export { type EngineSection, engineSchema, type ModelSection, modelSchema } from "./schemas.js";
export * from "./session/index.js";
export { HuggingFaceTokenizer } from "./tokenizer.js";
