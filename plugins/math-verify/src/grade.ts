import { sameAnswer } from "./compare.js";
import { extractAnswer } from "./extract.js";
import { normalize } from "./normalize.js";
import type { MathVerifyOptions } from "./options.js";

export interface Grade {
  /** The options' `correct` or `wrong`; null = unverifiable, no accepted answer is left after normalisation. */
  reward: number | null;
  /** 1 = right, 0 = wrong, null = unverifiable. */
  correct: 0 | 1 | null;
  /** The extracted answer as written; null when the completion has none. */
  answer: string | null;
}

/** Whether the final answer of a completion is one of the accepted answers (rule set F). Deterministic. */
export function grade(completion: string, golds: readonly string[], options: MathVerifyOptions): Grade {
  const answer = extractAnswer(completion, options);
  const accepted = golds.map(normalize).filter((gold) => gold !== "");
  if (accepted.length === 0) {
    return { reward: options.unparseableGold === "skip" ? null : options.unparseableGold, correct: null, answer };
  }
  const prediction = answer === null ? "" : normalize(answer);
  const isCorrect = accepted.some((gold) => sameAnswer(prediction, gold, options.decimals));
  return { reward: isCorrect ? options.correct : options.wrong, correct: isCorrect ? 1 : 0, answer };
}
