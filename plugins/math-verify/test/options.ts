import { type MathVerifyOptions, mathVerifyOptions } from "../src/options.js";

/** The schema's own defaults, with some options replaced. */
export function withDefaults(given: Partial<MathVerifyOptions> = {}): MathVerifyOptions {
  const defaults = Object.fromEntries(
    Object.entries(mathVerifyOptions.properties).map(([name, type]) => [name, Reflect.get(type, "default")]),
  );
  return { ...(defaults as MathVerifyOptions), ...given };
}
