import type { WatchdogAction } from "../extension/index.js";
import type { PlacedWatchdog } from "../registry/placed.js";
import type { MetricsRecord } from "./store/index.js";

/** What a watchdog found, and what is to follow from it. */
export interface Alarm {
  /** The watchdog's name. */
  source: string;
  action: WatchdogAction;
  message: string;
  learningRateFactor: number;
}

/**
 * What is wrong with the newest step and was not with the one before: a trouble that lasts is told once. After a watchdog's last
 * rollback the run stops.
 */
export function alarmsOf(watchdogs: readonly PlacedWatchdog[], records: readonly MetricsRecord[], rollbacksDone: number): Alarm[] {
  const before = records.slice(0, -1);
  return watchdogs.flatMap(({ id, component, action, rollbacks, learningRateFactor }) => {
    const message = component.check(records);
    if (message === null || (before.length > 0 && component.check(before) !== null)) return [];
    const isSpent = action === "rollback" && rollbacksDone >= rollbacks;
    const note = isSpent ? ` after ${rollbacks} rollback(s)` : "";
    return [{ source: id, action: isSpent ? "stop" : action, message: message + note, learningRateFactor }];
  });
}
