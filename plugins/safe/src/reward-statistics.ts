import { statistics } from "@proximal/core";

/** Running statistics of the raw rewards. */
export interface RewardStatistics {
  count: number;
  mean: number;
  var: number;
}

export const noRewards = (): RewardStatistics => ({ count: 1e-4, mean: 0, var: 1 });

/** The statistics after a batch: parallel update with the batch's mean and sample variance. SAFE, official code. */
export function including({ count, mean, var: variance }: RewardStatistics, rewards: ArrayLike<number>): RewardStatistics {
  const n = rewards.length;
  if (n === 0) return { count, mean, var: variance };
  const difference = statistics.mean(rewards) - mean;
  const total = count + n;
  const own = statistics.std(rewards, 1) ** 2;
  return {
    count: total,
    mean: mean + (difference * n) / total,
    var: (variance * count + own * n + (difference ** 2 * count * n) / total) / total,
  };
}

/** (r - mean) / (sqrt(var) + 1e-8). */
export const normalized = (rewards: Float64Array, { mean, var: variance }: RewardStatistics): Float64Array =>
  rewards.map((reward) => (reward - mean) / (Math.sqrt(variance) + 1e-8));
