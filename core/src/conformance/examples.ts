import type { Batch, ColumnInput, Random } from "../rollout/index.js";
import type { Options } from "./case.js";

/** What the test kit cannot make up for a plugin's components. */
export interface Examples {
  /** Columns whose values have a structure of their own (a tree, spans of the response), for any batch. */
  columns?(batch: Batch, random: Random): Readonly<Record<string, ColumnInput>>;
  /** Option sets by `point:id`; the first one stands for the defaults where an option has none. */
  options?: Readonly<Record<string, readonly Options[]>>;
  /** Fields of the records, for samplers that read them. */
  fields?: Readonly<Record<string, unknown>>;
  /** Names of the rewards that a wrapping one wraps. */
  inner?: readonly string[];
  /** Responses that the rewards understand; they see odd texts beside them. */
  completions?: readonly string[];
}

/** The export `examples` of a plugin's `src/conformance.ts`. */
export const defineExamples = (examples: Examples): Examples => Object.freeze({ ...examples });
