import { mean } from "../builtin/statistics.js";
import type { MetricsRecord } from "../trainer/store/index.js";

/** Something in the metrics that a person should look at. */
export interface RunWarning {
  /** What it is about, in few words. */
  title: string;
  /** The numbers. */
  detail: string;
}

/** Fewest steps from which a trend is read. */
const TREND = 10;

const percent = (share: number): string => `${Math.round(100 * share)} %`;
const short = (value: number): string => String(Number(value.toPrecision(3)));

interface Trend {
  first: number;
  last: number;
  change: number;
}

/** Means of the first and the last fifth of the steps that have a value; undefined with too few. */
function trendOf(records: readonly MetricsRecord[], name: string): Trend | undefined {
  const values = records.flatMap((record) => (typeof record[name] === "number" ? [record[name]] : []));
  if (values.length < TREND) return undefined;
  const fifth = Math.max(1, Math.floor(values.length / 5));
  const [first, last] = [mean(values.slice(0, fifth)), mean(values.slice(-fifth))];
  return { first, last, change: last - first };
}

/** What a reward component adds to the change of the reward between the first and the last fifth of a run. */
export interface RewardShare {
  name: string;
  weight: number;
  first: number;
  last: number;
  /** weight · (last - first) */
  contribution: number;
}

/** By component, the largest contribution first; `weights` are 1 where they are not given. */
export function rewardShares(records: readonly MetricsRecord[], weights: Readonly<Record<string, number>> = {}): RewardShare[] {
  const names = new Set(records.flatMap((record) => Object.keys(record)).filter((name) => name.startsWith("reward.")));
  return [...names]
    .flatMap((metric) => {
      const trend = trendOf(records, metric);
      const name = metric.slice("reward.".length);
      const weight = weights[name] ?? 1;
      return trend === undefined ? [] : [{ name, weight, first: trend.first, last: trend.last, contribution: weight * trend.change }];
    })
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
}

type Rule = (records: readonly MetricsRecord[], weights: Readonly<Record<string, number>>) => RunWarning[];

const level =
  (metric: string, from: number, title: string, detail: (last: number) => string): Rule =>
  (records) => {
    const trend = trendOf(records, metric);
    return trend !== undefined && trend.last >= from ? [{ title, detail: detail(trend.last) }] : [];
  };

const heldOutFalls: Rule = (records) => {
  const values = records.flatMap((record) => [record["evalStart.accuracy"], record["eval.accuracy"]]).filter((v) => typeof v === "number");
  const [best, last] = [Math.max(...values), values.at(-1) ?? 0];
  const reward = trendOf(records, "reward");
  if (values.length < 2 || best - last < 0.05 || reward === undefined || reward.change <= 0) return [];
  const detail = `held-out accuracy went from ${percent(best)} to ${percent(last)} while the reward rose by ${short(reward.change)}`;
  return [{ title: "The reward rises, the held-out accuracy falls", detail }];
};

/** Of the change that all components make together in one direction, at least this share by one of them. */
const DRIVES = 0.8;

const oneComponentDrives: Rule = (records, weights) => {
  const shares = rewardShares(records, weights);
  const total = shares.reduce((sum, { contribution }) => sum + Math.max(0, contribution), 0);
  const [top] = shares;
  if (shares.length < 2 || top === undefined || total < 0.02 || top.contribution < DRIVES * total) return [];
  const others = shares.slice(1).map(({ name, first, last }) => `${name} ${short(first)} → ${short(last)}`);
  const detail = `${top.name} gives ${percent(top.contribution / total)} of the rise (${short(top.first)} → ${short(top.last)}); ${others.join(", ")}`;
  return [{ title: `The component ${top.name} drives the reward`, detail }];
};

const lengthChanges: Rule = (records) => {
  const trend = trendOf(records, "length");
  if (trend === undefined || trend.first <= 0) return [];
  const factor = trend.last / trend.first;
  if (factor < 2 && factor > 0.5) return [];
  return [{ title: factor > 1 ? "Responses grow" : "Responses shrink", detail: `${short(trend.first)} → ${short(trend.last)} tokens` }];
};

const entropyCollapses: Rule = (records) => {
  const trend = trendOf(records, "entropyEstimate");
  if (trend === undefined || trend.first <= 0.05 || trend.last > 0.1 * trend.first) return [];
  return [{ title: "The policy hardly explores any more", detail: `entropy ${short(trend.first)} → ${short(trend.last)} nats a token` }];
};

const updatesSkipped: Rule = (records) => {
  const count = records.reduce((sum, { skipped }) => sum + (skipped ?? 0), 0);
  return count > 0 ? [{ title: "Updates were skipped", detail: `${count}: loss or gradient was not finite` }] : [];
};

const RULES: readonly Rule[] = [
  heldOutFalls,
  oneComponentDrives,
  updatesSkipped,
  lengthChanges,
  entropyCollapses,
  level("truncated", 0.2, "Many responses are cut at the length limit", (share) => `${percent(share)} of the last steps' responses`),
  level("fracZeroStd", 0.8, "Most groups carry no signal", (share) => `${percent(share)} have equal rewards in the last steps`),
  level("clipFraction", 0.3, "The gate stops much of the update", (share) => `${percent(share)} of the tokens in the last steps`),
  level("logpGapMax", 0.5, "Sampler and trainer disagree", (gap) => `log-probs differ by up to ${short(gap)} nats`),
  level("kl", 1, "The policy moves far in one step", (kl) => `KL ${short(kl)} nats a token within a step`),
];

/** What stands out in the metrics of a run; `weights` are those of the reward components. */
export const warningsOf = (records: readonly MetricsRecord[], weights: Readonly<Record<string, number>> = {}): RunWarning[] =>
  RULES.flatMap((rule) => rule(records, weights));

/** Weight of each reward by its name in the metrics, from a resolved config. */
export function rewardWeights(config: unknown): Record<string, number> {
  const { rewards = [] } = config as { rewards?: readonly { use?: string; name?: string; weight?: number }[] };
  return Object.fromEntries(rewards.map(({ use, name, weight }) => [name ?? use ?? "", weight ?? 1]));
}
