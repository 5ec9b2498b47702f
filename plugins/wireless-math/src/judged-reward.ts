import { type Batch, type RewardContext, rewardModel } from "@proximal/core";
import { WirelessReward, wirelessOptions } from "./reward.js";

/** The same reward; a judge decides where the rules cannot, all or nothing: a grade above 1/2 is a right answer. */
@rewardModel({
  id: "wireless-math-judged",
  description: "WirelessMathLM's reward with a judge for answers that the rules cannot decide",
  options: wirelessOptions,
  reads: ["completions", "prompts", "golds"],
  writes: ["correct", "format"],
  requires: ["judge"],
  wraps: true,
})
export class JudgedWirelessReward extends WirelessReward {
  protected override async verdicts(batch: Batch, context: RewardContext): Promise<Float64Array> {
    const correct = await super.verdicts(batch, context);
    const open = [...correct.keys()].filter((row) => Number.isNaN(correct[row]));
    if (open.length === 0) return correct;
    const golds = batch.json<readonly string[]>("golds");
    const grades = await context.services.judge(
      open.map((row) => ({
        prompt: batch.strings("prompts")[row]!,
        completion: batch.strings("completions")[row]!,
        rubric: "Is the final answer equivalent to one of the references? Every part must be right; no partial credit.",
        references: golds[row]!,
      })),
    );
    open.forEach((row, i) => {
      const grade = grades[i] ?? null;
      if (grade !== null) correct[row] = grade > 0.5 ? 1 : 0;
    });
    return correct;
  }
}
