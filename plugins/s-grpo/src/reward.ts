import {
  type Batch,
  correctOf,
  correctThresholdOption,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
} from "@proximal/core";
import { decayingRewards } from "./decay.js";

export const decayOptions = Type.Object({
  decayBase: Type.Number({
    default: 0.5,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "d: each further right exit earns d times less",
  }),
  correctThreshold: correctThresholdOption,
});

@rewardModel({
  id: "s-grpo",
  description: "Right answers of a serial group earn 1, d, d², … in the order of their exits",
  options: decayOptions,
  reads: ["group", { name: "exitPosition", at: "row", dtype: "i32", optional: true }],
  writes: ["correct"],
  wraps: true,
})
export class DecayingReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof decayOptions>) {}

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const correct = correctOf(inner!.rewards, this.o.correctThreshold);
    // Without exits (an evaluation) the responses are independent: correctness alone.
    if (!batch.has("exitPosition")) return { rewards: correct, columns: { correct } };
    const exits = batch.i32("exitPosition");
    const rewards = decayingRewards(correct, exits, batch.groupRows, this.o.decayBase);
    return {
      rewards,
      columns: { correct },
      metrics: { solved: rewards.filter((reward) => reward === 1).length / Math.max(1, batch.groups) },
    };
  }
}
