import {
  type Batch,
  ConfigError,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const overlongOptions = Type.Object({
  maxLength: Type.Integer({ default: 20480, minimum: 1, description: "Length at which the punishment is full, tokens" }),
  cacheLength: Type.Integer({ default: 4096, minimum: 1, description: "Tokens before maxLength over which it grows" }),
  penaltyFactor: Type.Number({ default: 1, minimum: 0, description: "Weight of the punishment" }),
});

type OverlongOptions = Static<typeof overlongOptions>;

/** 0 up to S = maxLength - cacheLength, (S - n)/cacheLength up to maxLength, -1 beyond. DAPO (2503.14476), eq. 13. */
export function overlongPunishment(length: number, { maxLength, cacheLength }: Pick<OverlongOptions, "maxLength" | "cacheLength">): number {
  const soft = maxLength - cacheLength;
  if (length <= soft) return 0;
  return length <= maxLength ? (soft - length) / cacheLength : -1;
}

/** R + penaltyFactor·p(length), [B]: the inner reward with a soft punishment of overlong responses. */
@rewardModel({
  id: "overlong",
  description: "Its inner reward less a punishment that grows over the last tokens before the length limit",
  options: overlongOptions,
  reads: ["lengths"],
  wraps: true,
})
export class OverlongReward implements RewardModel {
  constructor(@options() private readonly o: OverlongOptions) {
    if (o.cacheLength > o.maxLength) {
      throw new ConfigError('reward "overlong": cacheLength is larger than maxLength', {
        path: "cacheLength",
        given: o.cacheLength,
        accepted: `at most maxLength, ${o.maxLength}`,
      });
    }
  }

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const { penaltyFactor } = this.o;
    const punishment = Float64Array.from(batch.lengths, (length) => penaltyFactor * overlongPunishment(length, this.o));
    return {
      rewards: punishment.map((p, row) => (inner?.rewards[row] ?? 0) + p),
      components: { punishment },
      metrics: { punished: statistics.mean(punishment.map((p) => (p < 0 ? 1 : 0))) },
    };
  }
}
