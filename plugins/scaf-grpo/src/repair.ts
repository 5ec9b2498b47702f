export interface HintedReward {
  /** 1 = the smallest hint. */
  level: number;
  reward: number;
}

export interface Repair {
  /** Indices of the replaced rows; empty when the group stays as it is. */
  replaced: number[];
  /** Smallest level with a success; null when nothing was replaced. */
  hintLevel: number | null;
  /** Position of the chosen rollout in the list of hinted ones. */
  chosen: number | null;
}

/** Every rollout of the group failed, after the warm-up: step > warmupSteps and no reward above 0. */
export const isStagnant = (rewards: ArrayLike<number>, step: number, warmupSteps: number): boolean =>
  step > warmupSteps && Array.from(rewards).every((reward) => !(reward > 0));

/**
 * L* = min {L : R(o_L) > 0}: the success with the smallest hint replaces the first `replaceCount` rows of a group in which
 * every rollout failed. Ties inside a level: the first. Scaf-GRPO (2510.19807).
 */
export function repairGroup(
  rewards: ArrayLike<number>,
  hinted: readonly HintedReward[],
  step: number,
  o: { warmupSteps: number; replaceCount: number },
): Repair {
  const none: Repair = { replaced: [], hintLevel: null, chosen: null };
  if (!isStagnant(rewards, step, o.warmupSteps)) return none;
  let best: number | null = null;
  hinted.forEach(({ level, reward }, i) => {
    if (reward > 0 && (best === null || level < hinted[best]!.level)) best = i;
  });
  if (best === null) return none;
  const count = Math.min(o.replaceCount, rewards.length);
  return { replaced: Array.from({ length: count }, (_, i) => i), hintLevel: hinted[best]!.level, chosen: best };
}
