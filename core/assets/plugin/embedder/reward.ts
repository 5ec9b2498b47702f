import { type Batch, type RewardContext, type RewardModel, type RewardResult, rewardModel } from "@proximal/core";

const cosine = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Cosine of the angle between response and accepted answer, [B]; null where there is none. */
@rewardModel({
  id: "my-slug",
  description: "Similarity to the accepted answer",
  reads: ["completions", "golds"],
  requires: ["embed"],
})
export class MySlugReward implements RewardModel {
  async score(batch: Batch, { services }: RewardContext): Promise<RewardResult> {
    const golds = batch.json<readonly string[]>("golds").map(([first]) => first);
    const given = await services.embed(batch.strings("completions"));
    const wanted = await services.embed(golds.map((gold) => gold ?? ""));
    return { rewards: golds.map((gold, row) => (gold === undefined ? null : cosine(given[row]!, wanted[row]!))) };
  }
}
