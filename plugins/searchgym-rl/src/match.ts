import { tokenF1, wordsOf } from "@proximal/core";

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLES = new Set(["a", "an", "the"]);

/** Words of an answer: lower case, without ASCII punctuation and articles. */
const answerWords = (text: string): string[] => wordsOf(text.toLowerCase().replace(PUNCTUATION, "")).filter((word) => !ARTICLES.has(word));

/** max over the accepted answers of token F1 or exact match, in [0, 1]; 0 when there is none. */
export function answerScore(prediction: string, golds: readonly string[], metric: string): number {
  const predicted = answerWords(prediction);
  return golds.reduce((best, gold) => {
    const reference = answerWords(gold);
    const score = metric === "em" ? Number(predicted.join(" ") === reference.join(" ")) : tokenF1(predicted, reference);
    return Math.max(best, score);
  }, 0);
}

/** Score of a final answer, or the penalty of a trajectory that breaks the format. SearchGym (2601.14615), reconstructed. */
export const searchReward = (
  prediction: string,
  golds: readonly string[],
  format: number,
  o: { metric: string; formatPenalty: number },
): number => (format === 1 ? answerScore(prediction, golds, o.metric) : o.formatPenalty);
