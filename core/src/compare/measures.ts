import { mean } from "../builtin/statistics.js";
import type { MetricsRecord } from "../trainer/store/index.js";

/** A point of a learning curve: response tokens that the sampler had drawn, and the value then. */
export type Point = readonly [tokens: number, value: number];

/** What one run came to. null where a value does not exist. */
export interface Measures {
  /** Held-out accuracy after the last step, 0–1. */
  accuracy: number | null;
  /** Mean held-out accuracy over the token budget: the area under its curve, 0–1. */
  area: number | null;
  /** Tokens drawn until an evaluation first reached the target accuracy; null when none did. */
  tokensToTarget: number | null;
  /** Training reward and entropy (nats a token), mean of the last steps. */
  reward: number | null;
  entropy: number | null;
  steps: number;
  /** Response tokens that the sampler drew, discarded ones included. */
  tokens: number;
  responses: number;
  updates: number;
  seconds: number;
}

/** Tokens drawn after each record. */
function tokensDrawn(records: readonly MetricsRecord[]): number[] {
  let drawn = 0;
  return records.map(({ drawnTokens }) => (drawn += drawnTokens ?? 0));
}

/** The curve of a metric over the tokens drawn; a held-out metric begins with the evaluation before training. */
export function curve(records: readonly MetricsRecord[], name: string): Point[] {
  const tokens = tokensDrawn(records);
  const start = name.startsWith("eval.") ? records[0]?.[name.replace("eval.", "evalStart.")] : null;
  const points = records.flatMap((record, i): Point[] => (typeof record[name] === "number" ? [[tokens[i]!, record[name]]] : []));
  return typeof start === "number" ? [[0, start], ...points] : points;
}

/** Mean height of a curve from 0 to `budget`, straight between its points, level after its last one; null of no points. */
export function meanHeight(points: readonly Point[], budget: number): number | null {
  if (points.length === 0) return null;
  let area = 0;
  let [x, y] = [0, points[0]![1]];
  for (const [tokens, value] of points) {
    if (tokens <= x) {
      y = value;
      continue;
    }
    const end = Math.min(tokens, budget);
    const atEnd = y + ((value - y) * (end - x)) / (tokens - x);
    area += ((y + atEnd) / 2) * (end - x);
    [x, y] = [end, atEnd];
    if (tokens >= budget) break;
  }
  return (area + y * Math.max(0, budget - x)) / budget;
}

/** Share of the steps that count as the last ones. */
const TAIL = 0.1;

/** Mean of a metric over the last tenth of the steps. */
export function tail(records: readonly MetricsRecord[], name: string): number | null {
  const values = records.map((record) => record[name]).filter((value) => typeof value === "number");
  return values.length === 0 ? null : mean(values.slice(-Math.max(1, Math.floor(values.length * TAIL))));
}

/** The measures of a finished run from its metrics alone. */
export function measure(records: readonly MetricsRecord[], { budget, target }: { budget: number; target: number }): Measures {
  const accuracy = curve(records, "eval.accuracy");
  const total = (name: string) => records.reduce((sum, record) => sum + (record[name] ?? 0), 0);
  return {
    accuracy: accuracy.at(-1)?.[1] ?? null,
    area: meanHeight(accuracy, budget),
    tokensToTarget: accuracy.find(([, value]) => value >= target)?.[0] ?? null,
    reward: tail(records, "reward"),
    entropy: tail(records, "entropyEstimate"),
    steps: records.length,
    tokens: total("drawnTokens"),
    responses: total("drawnResponses"),
    updates: total("updates"),
    seconds: total("seconds"),
  };
}
