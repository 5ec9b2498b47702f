export { type BlockResult, DEFAULT_LIMITS, type Limits, type Stopped } from "./limits.js";
export { Sandbox, sandbox } from "./pool.js";
