/** What one block of code may use. */
export interface Limits {
  /** Work, in turns of the interpreter's interrupt handler: the same program always stops at the same place. */
  interrupts: number;
  /** Wall clock of a whole program, seconds: ends what the interpreter cannot interrupt. */
  seconds: number;
  /** Memory of the interpreter. */
  megabytes: number;
  /** Characters of output a block. */
  outputLength: number;
}

export const DEFAULT_LIMITS: Limits = { interrupts: 1000, seconds: 10, megabytes: 32, outputLength: 1000 };

/** Which limit ended a block; `crash`: the interpreter itself broke down. */
export type Stopped = "work" | "time" | "memory" | "output" | "crash";

export interface BlockResult {
  /** The block ran to its end without an error. */
  ok: boolean;
  /** What it printed, or the value of its last expression when it printed nothing; an error is its last line. */
  output: string;
  /** JSON of the value of its last expression; absent when there is none, when it failed, or when it is longer than the output may be. */
  value?: string;
  stopped?: Stopped;
}
