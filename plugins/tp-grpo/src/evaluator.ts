import type { Judge } from "@proximal/core";
import type { Label } from "./thoughts.js";

/** A solution to label. */
export interface Solution {
  prompt: string;
  /** Texts of the steps; the last one is the answer segment. */
  segments: readonly string[];
  isRight: boolean;
}

/** Labels of all steps of each solution. */
export type Evaluator = (solutions: readonly Solution[]) => Promise<Label[][]>;

/** How a step announces that the one before it was wrong. */
const REFLECTION = /^\s*(wait|hmm|hold on|actually|no,|but wait|let me (re|double)|oops|that('s| is) (wrong|not right|incorrect))/i;

/**
 * Labels from the text alone. Right solution: the step before a self-reflection is incorrect. Wrong solution: a thinking step that
 * names the final answer is matched.
 */
export const evaluateBySignals: Evaluator = async (solutions) =>
  solutions.map(({ segments, isRight }) => {
    const answer = segments.at(-1)!.trim();
    return segments.map((text, i): Label => {
      const isAnswer = i === segments.length - 1;
      if (isRight) return !isAnswer && REFLECTION.test(segments[i + 1]!) ? "incorrect" : "correct";
      return isAnswer || (answer !== "" && text.includes(answer)) ? "matched" : "uncertain";
    });
  });

const RIGHT_RUBRIC = "1 if this step of a solution is right, 0 if it is wrong or builds on a wrong step that is corrected later";
const WRONG_RUBRIC = "1 if this step argues for the solution's final answer, 0 if it does not";

/** Labels by a judge, one question a thinking step; an unanswered one counts as correct in right and as uncertain in wrong solutions. */
export const evaluateByJudge =
  (judge: Judge): Evaluator =>
  async (solutions) => {
    const steps = solutions.flatMap(({ prompt, segments, isRight }) =>
      segments.slice(0, -1).map((completion) => ({
        prompt: `${prompt}\n\nSolution:\n${segments.join("")}`,
        completion,
        rubric: isRight ? RIGHT_RUBRIC : WRONG_RUBRIC,
      })),
    );
    const grades = steps.length === 0 ? [] : await judge(steps);
    let at = 0;
    return solutions.map(({ segments, isRight }) => {
      const own = grades.slice(at, at + segments.length - 1);
      at += own.length;
      const thinking = own.map((grade): Label => {
        const agrees = grade === null ? isRight : grade >= 0.5;
        return isRight ? (agrees ? "correct" : "incorrect") : agrees ? "matched" : "uncertain";
      });
      return [...thinking, isRight ? "correct" : "matched"];
    });
  };
