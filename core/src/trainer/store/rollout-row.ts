import type { FinishReason } from "../../rollout/index.js";

/** One sampled response of a step, as it is stored. Token arrays have one entry a response token. */
export interface StoredRow {
  /** Place among the rows that the step sampled, from 0. */
  row: number;
  /** Responses that are compared with each other have the same number. */
  group: number;
  promptId: string;
  prompt: string;
  promptTokens: Int32Array;
  golds: readonly string[];
  text: string;
  finish: FinishReason;
  temperature: number;
  /** Names the noise that the response was drawn with; null for one that its sampler put together. */
  noise: number | null;
  /** Weighted sum; null = unverifiable. */
  reward: number | null;
  /** By reward model, and by part as `<model>.<part>`; unweighted. */
  rewards: Readonly<Record<string, number | null>>;
  /** 1 = right, 0 = wrong, null = not told. */
  correct: number | null;
  tokens: Int32Array;
  /** 1 = sampled by the policy. */
  mask: Uint8Array;
  /** The sampler's log-probs, nats. */
  logp: Float64Array;
  /** What the row's updates used; null for a row that was not trained on. */
  update: RowUpdate | null;
  /** What its sampler wrote beside it, by column. */
  columns: Readonly<Record<string, unknown>>;
}

export interface RowUpdate {
  /** 1 = the token is in the loss. */
  kept: Uint8Array;
  advantages: Float64Array;
  /** Log-probs that the ratio is taken against, nats: the sampler's unless the run recomputes them. */
  oldLogp: Float64Array;
  /** The trainer's log-probs in the last update that the row took part in, nats; null where the engine tells none. */
  logp: Float64Array | null;
  /** Share of the plain policy gradient that the gate lets pass; NaN where there is none to pass. */
  gate: Float64Array | null;
  /** Facts of the terms by `<term>.<fact>`. */
  facts: Readonly<Record<string, Float64Array>>;
}

/** A stored response as it is read: with what follows from it. */
export interface RolloutRow extends StoredRow {
  /** Text of each token; "" where it is not known. */
  texts: readonly string[];
  /** exp(logp - oldLogp) of the last update; null for a row that was not trained on. */
  ratio: Float64Array | null;
  /** Which rule of the gate took gradient from the token: a fact's name, or "gate"; null = none. */
  limitedBy: readonly (string | null)[] | null;
}

/** Adds to a stored row what follows from it. */
export function derived(row: StoredRow, textOf: (id: number) => string): RolloutRow {
  const texts = Array.from(row.tokens, textOf);
  if (row.update === null || row.update.logp === null) return { ...row, texts, ratio: null, limitedBy: null };
  const { logp, oldLogp } = row.update;
  const ratio = logp.map((value, t) => Math.exp(value - oldLogp[t]!));
  return { ...row, texts, ratio, limitedBy: limits(row.update, ratio) };
}

/** Share of the ratio above which a token counts as untouched: float32 leaves that much room. */
const UNTOUCHED = 0.999;

function limits({ gate, facts }: RowUpdate, ratio: Float64Array): (string | null)[] | null {
  if (gate === null) return null;
  const rules = Object.entries(facts).filter(([, values]) => values.every((value) => value === 0 || value === 1));
  return Array.from(gate, (share, t) => {
    if (Number.isNaN(share) || share >= UNTOUCHED * ratio[t]!) return null;
    const rule = rules.find(([name, values]) => values[t] === (KEPT.test(name) ? 0 : 1));
    if (rule !== undefined) return ruleOf(rule[0]);
    return share === 0 ? "gate" : null;
  });
}

/** Facts that say which tokens stay, not which are limited. */
const KEPT = /\.keep/;
/** `clip.clipFractionHigh` → "clipHigh": a share of tokens, seen at one token. */
const ruleOf = (name: string): string => name.slice(name.lastIndexOf(".") + 1).replace("Fraction", "");
