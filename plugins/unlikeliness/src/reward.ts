import {
  type Batch,
  lossMask,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { mean } = statistics;

export const unlikelinessOptions = Type.Object({
  rankPenalty: Type.Number({
    default: 0.25,
    minimum: 0,
    maximum: 1,
    description: "β: how much the likeliest response of a group loses; 0 = off",
  }),
  lengthNormalize: Type.Boolean({ default: true, description: "Rank by the mean log-prob a token instead of the sum" }),
});

/** Rank of each row in its group by log-likelihood: 0 = least likely; ties by row order. */
export function likelihoodRanks(batch: Batch, lengthNormalize: boolean): Int32Array {
  const mask = lossMask(batch);
  const likelihood = Array.from({ length: batch.rows }, (_, row) => {
    const logp = batch.tokensOf("oldLogp", row).filter((_, t) => mask[batch.offsets[row]! + t]);
    if (logp.length === 0) return 0;
    return lengthNormalize ? mean(logp) : mean(logp) * logp.length;
  });
  const ranks = new Int32Array(batch.rows);
  for (const rows of batch.groupRows) {
    const order = [...rows].sort((a, b) => likelihood[a]! - likelihood[b]! || a - b);
    order.forEach((row, rank) => {
      ranks[row] = rank;
    });
  }
  return ranks;
}

/**
 * R'_i = R_i·(1 - β·rank_i / G): of the correct responses the rarest keeps its reward, the likeliest loses most. [B].
 * "Rewarding the Unlikely: Lifting GRPO Beyond Distribution Sharpening".
 */
@rewardModel({
  id: "unlikeliness",
  description: "Shrinks the reward of responses that the policy finds likely, within each group",
  options: unlikelinessOptions,
  reads: ["oldLogp"],
  exceptions: { rowOrder: "equally likely responses are ranked in their order" },
  wraps: true,
})
export class UnlikelinessReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof unlikelinessOptions>) {}

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const { rewards } = inner!;
    const ranks = likelihoodRanks(batch, this.o.lengthNormalize);
    return {
      rewards: rewards.map((reward, row) => reward * (1 - (this.o.rankPenalty * ranks[row]!) / batch.groupRows[batch.group[row]!]!.length)),
    };
  }
}
