import { type Batch, type RewardContext, type RewardModel, type RewardResult, rewardModel } from "@proximal/core";

/** What the run's judge thinks of each response, [B]; null where it has no grade. */
@rewardModel({
  id: "my-slug",
  description: "The judge's grade, with the accepted answers as references",
  reads: ["prompts", "completions", "golds"],
  requires: ["judge"],
})
export class MySlugReward implements RewardModel {
  async score(batch: Batch, { services }: RewardContext): Promise<RewardResult> {
    const [prompts, golds] = [batch.strings("prompts"), batch.json<readonly string[]>("golds")];
    const completions = batch.strings("completions");
    const requests = completions.map((completion, row) => ({ prompt: prompts[row]!, completion, references: golds[row]! }));
    return { rewards: await services.judge(requests) };
  }
}
