import type { Inputs, Options } from "./case.js";

/** From the options and inputs of a case to an object with at least the keys of `expected`. */
export type ConformanceFunction = (options: Options, inputs: Inputs) => unknown;

/** `component` or `component/kind` → the plugin's own code, as a training run calls it. */
export type ConformanceMap = Readonly<Record<string, ConformanceFunction>>;

/** The default export of a plugin's `src/conformance.ts`. */
export const defineConformance = (map: ConformanceMap): ConformanceMap => Object.freeze({ ...map });
