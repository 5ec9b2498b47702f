import type { RolloutRow } from "@proximal/core";
import type { GroupSummary, RowSummary, RowTokens, StepRelation, StepSamples } from "../web/api.js";

const DIGITS = 5;
/** Few digits, and null for what JSON cannot hold. */
const brief = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(DIGITS));
const briefs = (values: ArrayLike<number>): (number | null)[] => Array.from(values, brief);
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

const summaryOf = ({ row, text, finish, reward, rewards, correct, tokens, update, limitedBy }: RolloutRow): RowSummary => ({
  row,
  text,
  finish,
  reward: brief(reward),
  rewards: Object.fromEntries(Object.entries(rewards).map(([name, value]) => [name, brief(value)])),
  correct: brief(correct),
  length: tokens.length,
  advantage: update === null || update.advantages.length === 0 ? null : brief(mean(update.advantages)),
  limited: limitedBy?.filter((rule) => rule !== null).length ?? 0,
});

/** All responses of a step by group, without their tokens. */
export function samplesView(step: number, rows: readonly RolloutRow[]): StepSamples {
  const groups = new Map<number, GroupSummary>();
  for (const row of rows) {
    const group = groups.get(row.group) ?? { group: row.group, prompt: row.prompt, golds: [...row.golds], rows: [] };
    groups.set(row.group, group);
    group.rows.push(summaryOf(row));
  }
  const components = [...new Set(rows.flatMap(({ rewards }) => Object.keys(rewards)))];
  return { step, components, groups: [...groups.values()] };
}

/** The tokens of one group's responses. */
export const tokensView = (rows: readonly RolloutRow[], group: number): RowTokens[] =>
  rows
    .filter((row) => row.group === group)
    .map(({ row, tokens, texts, mask, logp, update, ratio, limitedBy }) => ({
      row,
      ids: [...tokens],
      texts: [...texts],
      mask: [...mask],
      logp: briefs(logp),
      advantage: update && briefs(update.advantages),
      newLogp: update?.logp ? briefs(update.logp) : null,
      ratio: ratio && briefs(ratio),
      gate: update?.gate ? briefs(update.gate) : null,
      limitedBy: limitedBy && [...limitedBy],
      facts: Object.fromEntries(Object.entries(update?.facts ?? {}).map(([name, values]) => [name, briefs(values)])),
    }));

/** Pearson's correlation over the pairs in which both values exist; null where one of them does not vary. */
export function correlation(x: readonly (number | null)[], y: readonly (number | null)[]): number | null {
  const pairs = x.flatMap((a, i) => (a === null || (y[i] ?? null) === null ? [] : [[a, y[i]!] as const]));
  if (pairs.length < 3) return null;
  const [mx, my] = [mean(pairs.map(([a]) => a)), mean(pairs.map(([, b]) => b))];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [a, b] of pairs) {
    xy += (a - mx) * (b - my);
    xx += (a - mx) ** 2;
    yy += (b - my) ** 2;
  }
  return xx < 1e-12 || yy < 1e-12 ? null : brief(xy / Math.sqrt(xx * yy));
}

export function relationOf(step: number, rows: readonly RolloutRow[]): StepRelation {
  const lengths = rows.map(({ tokens }) => tokens.length);
  const rewards = rows.map(({ reward }) => reward);
  const known = rewards.filter((reward) => reward !== null);
  const components = [...new Set(rows.flatMap((row) => Object.keys(row.rewards)))];
  return {
    step,
    length: brief(mean(lengths)) ?? 0,
    reward: known.length === 0 ? null : brief(mean(known)),
    lengthReward: correlation(lengths, rewards),
    components: Object.fromEntries(
      components.map((name) => [
        name,
        correlation(
          lengths,
          rows.map((row) => row.rewards[name] ?? null),
        ),
      ]),
    ),
  };
}
