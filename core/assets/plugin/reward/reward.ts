import { type Batch, options, type RewardModel, type RewardResult, rewardModel, type Static, Type } from "@proximal/core";

const rewardOptions = Type.Object({
  lengthCost: Type.Number({ default: 0.001, minimum: 0, description: "What each token costs" }),
});

/** R = 1[the last line is an accepted answer] - lengthCost·tokens, [B]; null where a record has no accepted answer. */
@rewardModel({
  id: "my-slug",
  description: "Right last line, less a cost for each token",
  options: rewardOptions,
  reads: ["completions", "golds", "lengths"],
})
export class MySlugReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof rewardOptions>) {}

  score(batch: Batch): RewardResult {
    const golds = batch.json<readonly string[]>("golds");
    const right = batch.strings("completions").map((text, row) => {
      const answer = text.trimEnd().split("\n").at(-1)!.trim();
      return golds[row]!.length === 0 ? null : Number(golds[row]!.includes(answer));
    });
    const cost = Array.from(batch.lengths, (length) => this.o.lengthCost * length);
    return { rewards: right.map((r, row) => (r === null ? null : r - cost[row]!)), components: { right, cost } };
  }
}
