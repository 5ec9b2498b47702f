import jStat from "jstat";
import { mean, std } from "../builtin/statistics.js";
import { Random } from "../rollout/index.js";

/** A mean over seeds. */
export interface Estimate {
  count: number;
  mean: number;
  /** Sample standard deviation; null with fewer than two values. */
  std: number | null;
  /** 95 % interval of the mean; null with fewer than two values. */
  interval: readonly [low: number, high: number] | null;
}

export interface PairedDifference extends Estimate {
  /** Two-sided p value of the sign-flip test: how often random signs of the differences give a mean as far from 0. */
  p: number | null;
}

const LEVEL = 0.95;

/**
 * Mean and its interval from Student's t distribution: mean ± t(0.975, n - 1) · s / √n. With five seeds a bootstrap interval is
 * too short (it never leaves the range of the values); the t interval says how little five values tell.
 */
export function estimate(values: readonly number[]): Estimate {
  const count = values.length;
  const center = mean(values);
  if (count < 2) return { count, mean: center, std: null, interval: null };
  const spread = std(values, 1);
  const half = (jStat.studentt.inv((1 + LEVEL) / 2, count - 1) * spread) / Math.sqrt(count);
  return { count, mean: center, std: spread, interval: [center - half, center + half] };
}

/** Most differences of which all sign patterns are tried; of more, `DRAWS` patterns are drawn. */
const EXACT = 14;
const DRAWS = 20000;

/**
 * `method` less `baseline`, pair by pair: the same seed gives both the same prompts in the same order, so that their common
 * luck cancels. The sign-flip test assumes nothing but that, without an effect, each difference could as well be its negative.
 */
export function pairedDifference(method: readonly number[], baseline: readonly number[]): PairedDifference {
  const differences = method.map((value, i) => value - baseline[i]!);
  return { ...estimate(differences), p: differences.length === 0 ? null : signFlip(differences) };
}

function signFlip(differences: readonly number[]): number {
  const n = differences.length;
  const sum = (isNegative: (i: number) => boolean) => differences.reduce((total, d, i) => total + (isNegative(i) ? -d : d), 0);
  // Sums of the same numbers in another order may differ in their last bit.
  const bound = Math.abs(sum(() => false)) * (1 - 1e-12);
  let extreme = 0;
  if (n <= EXACT) {
    for (let pattern = 0; pattern < 2 ** n; pattern++) if (Math.abs(sum((i) => ((pattern >> i) & 1) === 1)) >= bound) extreme++;
    return extreme / 2 ** n;
  }
  const random = new Random(1, ["sign-flip"]);
  for (let draw = 0; draw < DRAWS; draw++) {
    const negative = differences.map(() => random.uniform() < 0.5);
    if (Math.abs(sum((i) => negative[i]!)) >= bound) extreme++;
  }
  return (extreme + 1) / (DRAWS + 1);
}
