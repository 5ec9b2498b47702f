import { statistics } from "@proximal/core";
import { studentQuantile } from "./student.js";

export interface AllocatorOptions {
  explorationWeight: number;
  confidence: number;
}

/** D = h(n) - h(n + 1) with h(n) = t_{1-a/2, n-1}·s / √n: what one more response takes off the interval of a mean reward. */
function reduction(std: number, count: number, confidence: number): number {
  if (std === 0) return 0;
  const halfWidth = (n: number) => (studentQuantile(confidence, n - 1) * std) / Math.sqrt(n);
  return halfWidth(count) - halfWidth(count + 1);
}

/**
 * Priorities P = D + λ·sqrt(ln(1 + T) / n) before a phase, [P], and the responses that the phase adds to each prompt, [P]: one
 * by one to the largest priority, ties to the lowest index. The std of the rewards stays that of the responses so far; n and the
 * total T grow. XRPO (2510.06672).
 */
export function allocatePhase(
  rewardsByPrompt: readonly ArrayLike<number>[],
  budget: number,
  { confidence, explorationWeight }: AllocatorOptions,
): { priority: number[]; allocation: number[] } {
  const stds = rewardsByPrompt.map((rewards) => (statistics.constant(rewards) ? 0 : statistics.std(rewards, 1)));
  const counts = rewardsByPrompt.map((rewards) => rewards.length);
  const reductions = counts.map((count, q) => reduction(stds[q]!, count, confidence));
  let total = counts.reduce((a, b) => a + b, 0);
  const priorities = () => counts.map((count, q) => reductions[q]! + explorationWeight * Math.sqrt(Math.log1p(total) / count));
  const priority = priorities();
  for (let given = 0; given < budget; given++) {
    const present = priorities();
    const best = present.indexOf(Math.max(...present));
    counts[best]!++;
    reductions[best] = reduction(stds[best]!, counts[best]!, confidence);
    total++;
  }
  return { priority, allocation: counts.map((count, q) => count - rewardsByPrompt[q]!.length) };
}

/** Prompts whose responses all failed: the next phase shows them solved examples. */
export const allFailed = (rewards: ArrayLike<number>): boolean => Array.from(rewards).every((reward) => reward === 0);
