/** Metrics of one step, as metrics.jsonl has them; null where a value did not exist. */
export type StepRecord = Readonly<Record<string, number | null>>;

/**
 * Looks at the metrics of a run for what usually goes wrong. It keeps no state: equal histories give equal answers, so that a
 * resumed run warns where the undisturbed one does.
 */
export interface Watchdog {
  /** `history`: every step so far, the newest last; at least one. What is wrong, in a sentence, or null. */
  check(history: readonly StepRecord[]): string | null;
}

/** What happens when a watchdog barks. */
export const WATCHDOG_ACTIONS = ["warn", "pause", "stop", "rollback"] as const;
/** What follows when a watchdog barks. */
export interface WatchdogResponse {
  action: WatchdogAction;
  /** Rollbacks of the run after which it stops instead. */
  rollbacks: number;
  /** Factor of the learning rate after a rollback. */
  learningRateFactor: number;
}

export type WatchdogAction = (typeof WATCHDOG_ACTIONS)[number];
