import { PROMISES, type PromiseName } from "@proximal/core";

/** One promise of one component, or of the package as a whole. */
export interface Check {
  /** `gate:clip`, or `package`. */
  subject: string;
  /** Sentence of the promise. */
  promise: string;
  /** Throws with a sentence that says what broke; returns what deserves a look. */
  run(): Promise<readonly string[]>;
}

export interface Outcome {
  subject: string;
  promise: string;
  passed: boolean;
  /** Why it failed. */
  reason?: string;
  warnings: readonly string[];
  /** The component breaks this promise by definition, for this reason. */
  exception?: string;
}

/** How much is run: the quick checks take well under a second a component. */
export interface Effort {
  /** Random batches for each property. */
  runs: number;
  /** Every option set is put to every check, not to the finiteness of its results alone. */
  allOptions: boolean;
}

export const QUICK: Effort = { runs: 4, allOptions: false };
export const FULL: Effort = { runs: 40, allOptions: true };

/** Throws what broke. A list that it returns holds warnings; anything else is ignored. */
export type Work = () => unknown;

export const warningsOf = (result: unknown): readonly string[] => (Array.isArray(result) ? (result as string[]) : []);

/** Does the work; what breaks says where. */
export async function within<T>(where: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

/** A check of a named promise. A declared exception must be one: the full check that it excuses has to fail. */
export function promiseCheck(subject: string, name: PromiseName, exception: string | undefined, run: Work, effort: Effort): Check {
  const promise = PROMISES[name];
  if (exception === undefined) return { subject, promise, run: async () => warningsOf(await run()) };
  return {
    subject,
    promise: `does not promise that ${promise}: ${exception}`,
    run: async () => {
      try {
        await run();
      } catch {
        return [];
      }
      if (!effort.allOptions) return [];
      throw new Error(`it declares an exception from "${name}", and no case was found that breaks it: remove the exception`);
    },
  };
}

/** Runs checks one after the other. */
export async function runChecks(checks: readonly Check[], each: (outcome: Outcome) => void = () => {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { subject, promise, run } of checks) {
    let outcome: Outcome;
    try {
      outcome = { subject, promise, passed: true, warnings: await run() };
    } catch (error) {
      outcome = { subject, promise, passed: false, warnings: [], reason: (error as Error).message };
    }
    outcomes.push(outcome);
    each(outcome);
  }
  return outcomes;
}
