import type { StepRecord } from "../../extension/watchdog.js";
import { mean } from "../statistics.js";

/** The values of a metric that exist, oldest first. */
export const valuesOf = (history: readonly StepRecord[], name: string): number[] =>
  history.map((record) => record[name]).filter((value) => typeof value === "number");

/** Mean of the first `window` values, once there are more than that: what a run started from. */
export function startOf(values: readonly number[], window: number): number | null {
  return values.length > window ? mean(values.slice(0, window)) : null;
}

/** The condition held in each of the last `steps` steps. */
export function heldFor(history: readonly StepRecord[], steps: number, holds: (record: StepRecord) => boolean): boolean {
  return history.length >= steps && history.slice(-steps).every(holds);
}

export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
export const short = (value: number): string => String(Number(value.toPrecision(3)));
