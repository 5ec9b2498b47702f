import { algebra } from "./algebra.js";
import { contraction } from "./contraction.js";
import type { RuleTable } from "./rule.js";
import { shape } from "./shape.js";

export { compositions } from "./compose.js";
export { forward } from "./forward.js";
export { numberOf, type Rule, type RuleTable } from "./rule.js";
export { runtime } from "./runtime.js";

/** Rules that hold for every target. */
export const general: readonly RuleTable[] = [shape, algebra, contraction];
