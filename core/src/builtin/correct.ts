import { Type } from "typebox";

export const correctThresholdOption = Type.Number({ default: 0.5, description: "A response is correct when its inner reward is above it" });

/** [B] 1 = correct, 0 = wrong, NaN = unverifiable: a reward against a threshold. */
export const correctOf = (rewards: ArrayLike<number>, threshold: number): Float64Array =>
  Float64Array.from(rewards, (reward) => (Number.isNaN(reward) ? Number.NaN : reward > threshold ? 1 : 0));
