import type { StepRecord } from "../extension/watchdog.js";
import type { Batch, ColumnInput, Random } from "../rollout/index.js";
import type { Options } from "./case.js";

/** Values by name, by step. */
export type Exported = ReadonlyMap<number, Readonly<Record<string, number>>>;

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
  /** Turns of the policy that the environments understand, in the order of an episode; they see odd texts beside them. */
  turns?: readonly string[];
  /** By `watchdog:id`: the metrics of a run that goes well, and of one that ends in the trouble that the watchdog tells of. */
  histories?: Readonly<Record<string, { quiet: readonly StepRecord[]; trouble: readonly StepRecord[] }>>;
  /** By `exporter:id`: what arrived of a run whose exporter had this folder, values by name, by step. */
  exported?: Readonly<Record<string, (folder: string) => Exported | Promise<Exported>>>;
}

/** The export `examples` of a plugin's `src/conformance.ts`. */
export const defineExamples = (examples: Examples): Examples => Object.freeze({ ...examples });
