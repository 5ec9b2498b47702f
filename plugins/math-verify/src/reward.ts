import { ANSWER_COLUMNS, answerTexts, type Batch, options, type RewardModel, type RewardResult, rewardModel } from "@proximal/core";
import { grade } from "./grade.js";
import { type MathVerifyOptions, mathVerifyOptions } from "./options.js";

/** Verifiable reward of mathematics [B]: is the completion's final answer one of the accepted ones? */
@rewardModel({
  id: "math-verify",
  description: "Compares the final answer of each completion with the accepted answers: numbers, expressions, lists, matrices, relations.",
  options: mathVerifyOptions,
  reads: [...ANSWER_COLUMNS, "golds"],
  writes: ["answers", "correct"],
})
export class MathVerifyReward implements RewardModel {
  constructor(@options() private readonly o: MathVerifyOptions) {}

  score(batch: Batch): RewardResult {
    const golds = batch.json<readonly string[]>("golds");
    const grades = answerTexts(batch).map((completion, row) => grade(completion, golds[row]!, this.o));
    return {
      rewards: grades.map(({ reward }) => reward),
      columns: {
        answers: grades.map(({ answer }) => answer),
        correct: grades.map(({ correct }) => correct),
      },
    };
  }
}
