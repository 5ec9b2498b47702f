import { ProximalError } from "../errors.js";

/**
 * Prints what went wrong and returns the exit status: 1 for a mistake of the user or the environment, without a stack;
 * 2 for a bug, with everything a report needs.
 */
export function reportFailure(error: unknown, print: (text: string) => void): 1 | 2 {
  if (error instanceof ProximalError) {
    print(error.describe());
    return 1;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  print(`${text}\n\nThis is a bug in Proximal or in a plugin. Please report it with the lines above and the config.`);
  return 2;
}
