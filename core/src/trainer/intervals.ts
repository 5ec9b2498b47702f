import type { Metrics } from "../extension/index.js";
import { Random } from "../rollout/index.js";

/** What one problem adds to each metric; a metric is the sum of its `sum` over the sum of its `count`. */
export type Parts = ReadonlyMap<string, { sum: number; count: number }>;

export type Interval = readonly [low: number, high: number];

/** Metrics with the 95 % intervals of those that are means over problems. */
export interface Estimates {
  metrics: Metrics;
  intervals: Readonly<Record<string, Interval>>;
}

const RESAMPLES = 2000;
const TAIL = 0.025;

const namesOf = (problems: readonly Parts[]): string[] => [...new Set(problems.flatMap((parts) => [...parts.keys()]))];

/** [n] of one metric. */
interface Column {
  sums: Float64Array;
  counts: Float64Array;
}

function columnOf(problems: readonly Parts[], name: string): Column {
  const part = (key: "sum" | "count") => Float64Array.from(problems, (parts) => parts.get(name)?.[key] ?? 0);
  return { sums: part("sum"), counts: part("count") };
}

function ratio({ sums, counts }: Column, chosen: Int32Array): number {
  let [sum, count] = [0, 0];
  for (const i of chosen) {
    sum += sums[i]!;
    count += counts[i]!;
  }
  return sum / count;
}

/** Bootstrap over problems (Efron 1979), percentile interval: each resample draws as many problems as there are, seeded. */
const resamples = (size: number, seed: number): Int32Array[] => {
  const random = new Random(seed).fork("bootstrap");
  return Array.from({ length: RESAMPLES }, () => Int32Array.from({ length: size }, () => random.integer(size)));
};

function percentiles(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
  if (sorted.length === 0) return [Number.NaN, Number.NaN];
  const at = (p: number) => sorted[Math.round(p * (sorted.length - 1))]!;
  return [at(TAIL), at(1 - TAIL)];
}

/**
 * Where all problems agree on 0 or on 1, resamples do too: then the exact binomial (Clopper–Pearson) limit for that many problems.
 */
function unanimous({ sums, counts }: Column): Interval | undefined {
  const known = [...sums.keys()].filter((i) => counts[i]! > 0);
  const value = known.length === 0 ? Number.NaN : sums[known[0]!]! / counts[known[0]!]!;
  if ((value !== 0 && value !== 1) || known.some((i) => sums[i]! !== value * counts[i]!)) return undefined;
  const limit = 1 - TAIL ** (1 / known.length);
  return value === 0 ? [0, limit] : [1 - limit, 1];
}

const isShare = (name: string): boolean => /^(accuracy|truncated|(pass|maj)@)/.test(name);

/** Metrics of problems, each mean with its 95 % interval. */
export function estimatesOf(problems: readonly Parts[], seed: number): Estimates {
  const everyone = Int32Array.from(problems.keys());
  const draws = resamples(problems.length, seed);
  const columns = namesOf(problems).map((name) => [name, columnOf(problems, name)] as const);
  const interval = (name: string, column: Column): Interval =>
    (isShare(name) ? unanimous(column) : undefined) ?? percentiles(draws.map((chosen) => ratio(column, chosen)));
  return {
    metrics: Object.fromEntries(columns.map(([name, column]) => [name, ratio(column, everyone)])),
    intervals: Object.fromEntries(columns.map(([name, column]) => [name, interval(name, column)])),
  };
}

/** `after` less `before` on the same problems, resampled together: what makes a problem hard for both cancels. */
export function differenceOf(before: readonly Parts[], after: readonly Parts[], seed: number): Estimates {
  const everyone = Int32Array.from(after.keys());
  const draws = resamples(after.length, seed);
  const known = new Set(namesOf(before));
  const columns = namesOf(after)
    .filter((name) => known.has(name))
    .map((name) => [name, columnOf(before, name), columnOf(after, name)] as const);
  const change = (from: Column, to: Column, chosen: Int32Array) => ratio(to, chosen) - ratio(from, chosen);
  return {
    metrics: Object.fromEntries(columns.map(([name, from, to]) => [name, change(from, to, everyone)])),
    intervals: Object.fromEntries(columns.map(([name, from, to]) => [name, percentiles(draws.map((chosen) => change(from, to, chosen)))])),
  };
}
