import type { RolloutRow, RunReader } from "../trainer/store/index.js";
import { rounded } from "./curves.js";

/** What is shown of a run's rollouts. The size is in characters of JSON. */
const LIMITS = { size: 2e6, steps: 60, groups: 8, rows: 32, tokens: 1500, text: 6000 } as const;

export interface SampleRow {
  row: number;
  text: string;
  finish: string;
  reward: number | null;
  rewards: Readonly<Record<string, number | null>>;
  /** One number when all tokens share it; null for a row that was not trained on. */
  advantage: number | number[] | null;
  /** Tokens of the whole response; `tokens` may hold fewer. */
  length: number;
  tokens: number[];
  logp: number[];
  mask?: number[];
  /** Of rows that were trained on: ratio of the last update, share of the gradient that the gate lets pass, the rule that took it. */
  ratio?: number[];
  gate?: (number | null)[];
  rules?: Readonly<Record<number, string>>;
}

export interface SampleGroup {
  group: number;
  prompt: string;
  golds: readonly string[];
  rows: SampleRow[];
}

export interface Samples {
  steps: { step: number; groups: SampleGroup[] }[];
  /** Text by token id, for every token that occurs. */
  vocabulary: Record<number, string>;
}

/** Rollouts of steps spread evenly over the run, the first and the last among them; of each step its first groups. */
export async function samplesOf(run: RunReader): Promise<Samples> {
  const all = run.steps();
  if (all.length === 0) return { steps: [], vocabulary: {} };
  const last = groupsOf(await run.rollouts(all.at(-1)!), LIMITS.size / 2);
  const room = Math.floor(LIMITS.size / sizeOf(last));
  const steps = spread(all, Math.min(LIMITS.steps, Math.max(2, room)));
  const samples: Samples["steps"] = [];
  for (const step of steps) samples.push({ step, groups: groupsOf(await run.rollouts(step), LIMITS.size / steps.length) });
  const ids = new Set(samples.flatMap(({ groups }) => groups.flatMap(({ rows }) => rows.flatMap(({ tokens }) => tokens))));
  const known = [...ids].sort((a, b) => a - b).map((id) => [id, run.tokenText(id)] as const);
  return { steps: samples, vocabulary: Object.fromEntries(known.filter(([, text]) => text !== "")) };
}

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

/** `count` of the values, evenly spaced, with both ends. */
export function spread<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, i) => values[Math.round((i * (values.length - 1)) / (count - 1))]!);
}

/** The first groups of a step, at least one, that fit into `size`. */
function groupsOf(rollouts: readonly RolloutRow[], size: number): SampleGroup[] {
  const groups = new Map<number, SampleGroup>();
  let used = 0;
  for (const rollout of rollouts) {
    const { group: id, prompt, golds } = rollout;
    let group = groups.get(id);
    if (group === undefined) {
      if (groups.size === LIMITS.groups || used >= size) break;
      group = { group: id, prompt: cut(prompt), golds: golds.map(cut), rows: [] };
      groups.set(id, group);
      used += sizeOf(group);
    }
    if (group.rows.length === LIMITS.rows) continue;
    const row = rowOf(rollout);
    group.rows.push(row);
    used += sizeOf(row);
  }
  return [...groups.values()];
}

const cut = (text: string): string => (text.length > LIMITS.text ? `${text.slice(0, LIMITS.text)}…` : text);
const brief = (value: number): number => rounded(value, 4);
const orNull = (value: number | null): number | null => (value === null || Number.isNaN(value) ? null : brief(value));
const first = <A extends { slice(start: number, end: number): A }>(values: A): A => values.slice(0, LIMITS.tokens);

function rowOf({ row, text, finish, reward, rewards, tokens, logp, mask, update, ratio, limitedBy }: RolloutRow): SampleRow {
  const advantages = update?.advantages ?? null;
  const isShared = advantages?.every((value) => value === advantages[0]);
  const rules = limitedBy?.slice(0, LIMITS.tokens).flatMap((rule, t) => (rule === null ? [] : [[t, rule] as const])) ?? [];
  return {
    row,
    text: cut(text),
    finish,
    reward: orNull(reward),
    rewards: Object.fromEntries(Object.entries(rewards).map(([name, value]) => [name, orNull(value)])),
    advantage: advantages === null ? null : isShared ? brief(advantages[0] ?? 0) : Array.from(first(advantages), brief),
    length: tokens.length,
    tokens: [...first(tokens)],
    logp: Array.from(first(logp), brief),
    ...(mask.includes(0) ? { mask: [...first(mask)] } : {}),
    ...(ratio?.some((value) => Math.abs(value - 1) > 1e-6) ? { ratio: Array.from(first(ratio), brief) } : {}),
    ...(update?.gate?.some((value) => value !== 1) ? { gate: Array.from(first(update.gate), orNull) } : {}),
    ...(rules.length > 0 ? { rules: Object.fromEntries(rules) } : {}),
  };
}
