import { type Batch, options, type RewardModel, type RewardResult, rewardModel, type Static, Type, textPattern } from "@proximal/core";
import { searchReward } from "./match.js";

export const searchRewardOptions = Type.Object({
  metric: Type.Union([Type.Literal("f1"), Type.Literal("em")], {
    default: "f1",
    description: "Token F1 or exact match of normalised answers",
  }),
  formatPenalty: Type.Number({ default: 0, maximum: 0, description: "Reward of a trajectory that breaks the format" }),
  answerPattern: Type.String({
    default: "<answer>([\\s\\S]*?)</answer>",
    description: "Its first group is the final answer; a completion without it breaks the format, as does one cut at the length limit",
  }),
});

@rewardModel({
  id: "searchgym-rl",
  description: "Token F1 or exact match of the final answer, a penalty for a broken format",
  options: searchRewardOptions,
  reads: ["completions", "golds", "truncated"],
  writes: ["answers", "format", "correct"],
})
export class SearchReward implements RewardModel {
  private readonly pattern: RegExp;

  constructor(@options() private readonly o: Static<typeof searchRewardOptions>) {
    this.pattern = textPattern(o.answerPattern, "answerPattern");
  }

  score(batch: Batch): RewardResult {
    const golds = batch.json<readonly string[]>("golds");
    const truncated = batch.f64("truncated");
    const answers = batch.strings("completions").map((text) => this.pattern.exec(text)?.[1] ?? null);
    const format = answers.map((answer, row) => (answer === null || truncated[row] === 1 ? 0 : 1));
    const rewards = answers.map((answer, row) =>
      golds[row]!.length === 0 ? null : searchReward(answer ?? "", golds[row]!, format[row]!, this.o),
    );
    return {
      rewards,
      components: { format },
      columns: { answers, format, correct: rewards.map((reward) => (reward === null ? null : reward >= 1 ? 1 : 0)) },
    };
  }
}
