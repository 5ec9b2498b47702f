import type { RolloutRecord, RunFolder } from "../trainer/store/index.js";
import { rounded } from "./curves.js";
import type { TokenText } from "./vocabulary.js";

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
export function samplesOf(folder: RunFolder, textOf: TokenText): Samples {
  const all = folder.rolloutSteps();
  if (all.length === 0) return { steps: [], vocabulary: {} };
  const last = groupsOf(folder, all.at(-1)!, LIMITS.size / 2);
  const room = Math.floor(LIMITS.size / sizeOf(last));
  const steps = spread(all, Math.min(LIMITS.steps, Math.max(2, room)));
  const samples = steps.map((step) => ({ step, groups: groupsOf(folder, step, LIMITS.size / steps.length) }));
  const ids = new Set(samples.flatMap(({ groups }) => groups.flatMap(({ rows }) => rows.flatMap(({ tokens }) => tokens))));
  const known = [...ids].sort((a, b) => a - b).map((id) => [id, textOf(id)] as const);
  return { steps: samples, vocabulary: Object.fromEntries(known.filter(([, text]) => text !== undefined)) as Record<number, string> };
}

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

/** `count` of the values, evenly spaced, with both ends. */
export function spread<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, i) => values[Math.round((i * (values.length - 1)) / (count - 1))]!);
}

/** The first groups of a step, at least one, that fit into `size`. */
function groupsOf(folder: RunFolder, step: number, size: number): SampleGroup[] {
  const groups = new Map<number, SampleGroup>();
  let used = 0;
  for (const record of folder.rollouts(step)) {
    const { group: id, prompt, golds } = record as { group: number; prompt: string; golds?: readonly string[] | null };
    let group = groups.get(id);
    if (group === undefined) {
      if (groups.size === LIMITS.groups || used >= size) break;
      group = { group: id, prompt: cut(prompt), golds: (golds ?? []).map(cut), rows: [] };
      groups.set(id, group);
      used += sizeOf(group);
    }
    if (group.rows.length === LIMITS.rows) continue;
    const row = rowOf(record);
    group.rows.push(row);
    used += sizeOf(row);
  }
  return [...groups.values()];
}

const cut = (text: string): string => (text.length > LIMITS.text ? `${text.slice(0, LIMITS.text)}…` : text);
const brief = (value: number | null): number | null => (value === null ? null : rounded(value, 4));
const briefs = (values: readonly number[]): number[] => values.slice(0, LIMITS.tokens).map((value) => rounded(value, 4));

function rowOf(record: RolloutRecord): SampleRow {
  const { row, text, finish, reward, rewards, advantage, tokens, logp, mask } = record as unknown as Omit<SampleRow, "length">;
  return {
    row,
    text: cut(text),
    finish,
    reward: brief(reward),
    rewards: Object.fromEntries(Object.entries(rewards).map(([name, value]) => [name, brief(value)])),
    advantage: Array.isArray(advantage) ? briefs(advantage) : brief(advantage),
    length: tokens.length,
    tokens: tokens.slice(0, LIMITS.tokens),
    logp: briefs(logp),
    ...(mask === undefined ? {} : { mask: mask.slice(0, LIMITS.tokens) }),
  };
}
