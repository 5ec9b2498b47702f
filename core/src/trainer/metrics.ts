import { fracZeroStd } from "../builtin/group-normalized.js";
import { mean, std } from "../builtin/statistics.js";
import type { Metrics } from "../extension/index.js";
import type { Batch } from "../rollout/index.js";
import type { Placed } from "./composition.js";

/** Metrics of a component, each as `<id>.<name>`. */
export const prefixed = (id: string, metrics: Metrics = {}): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${id}.${name}`, value]));

/** The column `correct`: what a component or the data set says, else whether the first reward model gave more than one half. */
export const correctness = (batch: Batch): Float64Array =>
  batch.has("correct") ? batch.f64("correct") : new Float64Array(batch.rows).fill(Number.NaN);

/** The rows that have a reward. */
export function verifiedRows(batch: Batch): Batch {
  const rewards = batch.f64("rewards");
  return rewards.some(Number.isNaN) ? batch.select([...rewards.keys()].filter((row) => !Number.isNaN(rewards[row]))) : batch;
}

/** What the sampled responses say, before any of them is left out: rewards, accuracy, lengths, entropy estimate. */
export function rolloutMetrics(batch: Batch, parts: readonly { id: string; weight: number }[]): Metrics {
  const rewardIds = parts.map(({ id }) => id);
  const rewards = batch.f64("rewards").filter(Number.isFinite);
  const lengths = batch.lengths;
  const oldLogp = batch.f64("oldLogp");
  const mask = batch.f64("mask");
  const chosen = oldLogp.filter((_, t) => mask[t] === 1);
  const components = batch.has("rewardComponents") ? batch.f64("rewardComponents") : new Float64Array();
  const componentOf = (k: number) => Float64Array.from({ length: batch.rows }, (_, row) => components[row * rewardIds.length + k]!);
  const componentMean = (k: number) => mean(componentOf(k).filter(Number.isFinite));
  return {
    rows: batch.rows,
    groups: batch.groups,
    reward: mean(rewards),
    rewardStd: std(rewards, 0),
    ...Object.fromEntries(rewardIds.map((id, k) => [`reward.${id}`, componentMean(k)])),
    ...rewardShares(batch, parts, componentOf),
    accuracy: mean(correctness(batch).filter(Number.isFinite)),
    unverifiable: batch.rows - rewards.length,
    fracZeroStd: fracZeroStd(verifiedRows(batch)),
    length: mean(lengths),
    lengthMax: lengths.reduce((a, b) => Math.max(a, b), 0),
    truncated: mean(batch.f64("truncated")),
    tokens: batch.tokens,
    // Monte Carlo estimate: the mean surprise of the tokens that were drawn.
    entropyEstimate: -mean(chosen),
  };
}

/** Of responses of several turns: turns, share of tokens that are the environment's, and means of the row numbers that it writes. */
export function episodeMetrics(batch: Batch, { id, metadata }: Pick<Placed, "id" | "metadata">): Metrics {
  if (batch.rows === 0) return {};
  const names = (metadata.writes ?? []).map((reference) => (typeof reference === "string" ? reference : reference.name));
  const isNumber = (name: string) => {
    const { at, dtype, width } = batch.column(name);
    return at === "row" && width === undefined && dtype !== "string" && dtype !== "json";
  };
  const written = names.filter((name) => batch.has(name) && isNumber(name));
  return {
    turns: mean(batch.f64("turns")),
    observedTokens: mean(batch.f64("observed")),
    ...prefixed(id, Object.fromEntries(written.map((name) => [name, mean(batch.f64(name).filter(Number.isFinite))]))),
  };
}

/** Of several rewards, the part of the sum's variance that each gives: cov(w·r, R) / var(R). They add up to 1. */
function rewardShares(
  batch: Batch,
  parts: readonly { id: string; weight: number }[],
  componentOf: (k: number) => Float64Array,
): Record<string, number> {
  if (parts.length < 2) return {};
  const total = batch.f64("rewards");
  const rows = [...total.keys()].filter((row) => Number.isFinite(total[row]));
  const center = mean(rows.map((row) => total[row]!));
  const deviations = rows.map((row) => total[row]! - center);
  const variance = deviations.reduce((sum, x) => sum + x * x, 0);
  return Object.fromEntries(
    parts.map(({ id, weight }, k) => {
      const values = componentOf(k);
      const own = rows.reduce((sum, row, i) => sum + (weight === 0 ? 0 : weight * values[row]!) * deviations[i]!, 0);
      return [`rewardShare.${id}`, variance > 0 ? own / variance : Number.NaN];
    }),
  );
}

/** Fields that tell time or memory: they differ between two runs of one seed. */
export const isTimeField = (name: string): boolean => /^(seconds|rss|time)|PerSecond$/.test(name);

/** Resident memory of the process, MiB. */
export const residentMemory = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20);
