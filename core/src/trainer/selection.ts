import type { EvaluationSection } from "../config/schema.js";
import type { MetricsRecord } from "./store/index.js";

export type SelectionSettings = Pick<EvaluationSection, "metric" | "mode" | "keepBest" | "patience" | "minDelta">;

/** The best evaluation of a run so far. */
export interface Best {
  step: number;
  value: number;
  /** Evaluations since, without a better one. */
  since: number;
}

/**
 * The best held-out evaluation after a step, from the metrics alone; a later one is better when it wins by more than
 * `minDelta`. null before the first, or when no evaluation has the metric.
 */
export function bestOf(records: readonly MetricsRecord[], { metric, mode, minDelta }: SelectionSettings): Best | null {
  const sign = mode === "max" ? 1 : -1;
  let best: Best | null = null;
  for (const record of records) {
    const value = record[`eval.${metric}`];
    if (typeof value !== "number") continue;
    if (best === null || sign * (value - best.value) > minDelta) best = { step: record.step!, value, since: 0 };
    else best.since++;
  }
  return best;
}
