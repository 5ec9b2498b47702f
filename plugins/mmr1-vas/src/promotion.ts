import { type Diversity, diversityScore } from "./diversity.js";

export interface PromotionOptions {
  alpha: number;
  beta: number;
  diversity: Diversity;
  ngram: number;
  normalize: "none" | "minmax";
  momentum: number;
  mixtureRatio: number;
}

/** What the probe of one prompt tells. */
export interface PromptScore {
  /** P: share of correct responses. */
  successRate: number;
  /** P·(1 - P): variance of the outcome, at most 1/4. */
  ovs: number;
  /** Diversity of the responses. */
  tds: number;
  /** Variance promotion score alpha·OVS + beta·TDS. */
  vps: number;
}

/** Score of one prompt from its probe responses. MMR1 technical report, 2025. */
export function promotionScore(correct: ArrayLike<number>, responses: readonly ArrayLike<number>[], o: PromotionOptions): PromptScore {
  const successRate = Array.from(correct).reduce((a, b) => a + b, 0) / Math.max(1, correct.length);
  const ovs = successRate * (1 - successRate);
  const tds = diversityScore(o.diversity, responses, o.ngram);
  return { successRate, ovs, tds, vps: o.alpha * ovs + o.beta * tds };
}

/** Keeps equal scores from dividing by 0. */
const SPREAD_EPS = 1e-8;

/** Weights of all prompts after a refresh; `before` are those of the last one, if any. */
export function promptWeights(
  vps: readonly number[],
  before: ArrayLike<number> | undefined,
  { normalize, momentum }: PromotionOptions,
): number[] {
  const least = vps.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = vps.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const fresh = normalize === "minmax" ? vps.map((v) => (v - least) / (most - least + SPREAD_EPS)) : [...vps];
  return before === undefined ? fresh : fresh.map((w, i) => momentum * before[i]! + (1 - momentum) * w);
}

/** Weights over their sum; uniform where all are 0. */
export function probabilities(weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => (sum > 0 ? w / sum : 1 / weights.length));
}

/** How many prompts of a batch are drawn by weight; the others are drawn evenly. */
export const weightedCount = (batchSize: number, mixtureRatio: number): number => Math.floor(mixtureRatio * batchSize);

/** First of a, first of b, second of a, …; the rest of the longer list at the end. */
export const interleave = <T>(a: readonly T[], b: readonly T[]): T[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [...a.slice(i, i + 1), ...b.slice(i, i + 1)]).flat();
