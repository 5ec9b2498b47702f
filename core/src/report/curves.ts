import { mean } from "../builtin/statistics.js";
import type { MetricsRecord } from "../trainer/store/index.js";

/** Most points of a curve; more steps than that are averaged. */
const POINTS = 1500;
const DIGITS = 6;

export interface Curves {
  /** Training steps that are done at each point; the first is 0 when there was an evaluation before training. */
  steps: number[];
  values: Record<string, (number | null)[]>;
}

export const rounded = (value: number, digits = DIGITS): number => Number(value.toPrecision(digits));

/** The metrics by name, thinned by averaging neighbours. The evaluation before training becomes the point of step 0. */
export function curvesOf(records: readonly MetricsRecord[]): Curves {
  const first = Object.entries(records[0] ?? {}).filter(([name]) => name.startsWith("evalStart."));
  const start: MetricsRecord[] =
    first.length === 0 ? [] : [Object.fromEntries(first.map(([name, value]) => [name.replace("evalStart.", "eval."), value]))];
  const names = new Set(
    records.flatMap((record) => Object.keys(record)).filter((name) => name !== "step" && !name.startsWith("evalStart.")),
  );
  const width = Math.max(1, Math.ceil(records.length / POINTS));
  const bins = Array.from({ length: Math.ceil(records.length / width) }, (_, i) => records.slice(i * width, (i + 1) * width));
  const value = (bin: readonly MetricsRecord[], name: string): number | null => {
    const present = bin.map((record) => record[name]).filter((entry) => typeof entry === "number");
    return present.length === 0 ? null : rounded(mean(present));
  };
  const points = [...(start.length > 0 ? [start] : []), ...bins];
  return {
    steps: [...start.map(() => 0), ...bins.map((bin, i) => bin.at(-1)!.step ?? (i + 1) * width)],
    values: Object.fromEntries([...names].map((name) => [name, points.map((bin) => value(bin, name))])),
  };
}
