import { lastNumber } from "../builtin/rewards.js";
import { mean } from "../builtin/statistics.js";
import { finalAnswer } from "../data/index.js";
import { Random } from "../rollout/index.js";

/** Subsets of k of n responses that are drawn; of k = n there is one. */
const SUBSETS = 200;
const BOXED = /\\boxed\{([^{}]*)\}/g;

/**
 * What a response votes for: what follows its last `####`, else its last `\boxed{…}`, else its last number, else its text; numbers by
 * value, texts without case and surrounding space.
 */
export function voteOf(text: string): string {
  const boxed = [...text.matchAll(BOXED)].at(-1)?.[1];
  const final = text.includes("####") ? finalAnswer(text) : (boxed ?? text);
  const number = lastNumber(final);
  return number === null ? final.trim().toLowerCase() : String(number);
}

/** Share of right responses among those that vote like most; of equally many, their mean. */
function majority(votes: readonly string[], correct: readonly number[], chosen: ArrayLike<number>): number {
  const tallies = new Map<string, { votes: number; right: number }>();
  for (let i = 0; i < chosen.length; i++) {
    const tally = tallies.get(votes[chosen[i]!]!) ?? { votes: 0, right: 0 };
    tally.votes++;
    tally.right += correct[chosen[i]!]!;
    tallies.set(votes[chosen[i]!]!, tally);
  }
  const most = Math.max(...[...tallies.values()].map((tally) => tally.votes));
  return mean([...tallies.values()].filter((tally) => tally.votes === most).map(({ right }) => right / most));
}

/**
 * Probability that the majority of k responses drawn from the given ones is right (maj@k, self-consistency; Wang et al. 2022,
 * 2203.11171). For k below their number, the mean over subsets that are drawn with a fixed seed.
 */
export function majAtK(texts: readonly string[], correct: readonly number[], k: number): number {
  const votes = texts.map(voteOf);
  const all = Int32Array.from(votes, (_, i) => i);
  if (k >= votes.length) return majority(votes, correct, all);
  const random = new Random(1, ["majority"]);
  return mean(Array.from({ length: SUBSETS }, () => majority(votes, correct, random.permutation(votes.length).subarray(0, k))));
}
