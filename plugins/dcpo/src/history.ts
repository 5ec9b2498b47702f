import { statistics } from "@proximal/core";

const { constant, mean, std } = statistics;

/** What is remembered of a prompt. */
export interface PromptHistory {
  /** Visits so far. */
  times: number;
  /** Merged mean and std of its rewards. */
  mean: number;
  std: number;
}

export const UNSEEN: PromptHistory = { times: 0, mean: 0, std: 0 };

/**
 * Merges the rewards of one visit (mean m, sample std s) into the history M', S' of n visits:
 * M = (n·M' + m)/(n+1), S² = (n·S'² + s² + n/(n+1)·(m - M')²)/(n+1). Not the pooled variance; as the official code does it.
 * `decay` multiplies M' and S' first.
 */
export function merged(before: PromptHistory, { m, s }: { m: number; s: number }, decay: number): PromptHistory {
  const n = before.times;
  const [M, S] = [decay * before.mean, decay * before.std];
  if (n === 0) return { times: 1, mean: m, std: s };
  // Written as a step from M, so that a constant history stays exactly constant and its std exactly 0.
  const variance = (n * S ** 2 + s ** 2 + (n / (n + 1)) * (m - M) ** 2) / (n + 1);
  return { times: n + 1, mean: M + (m - M) / (n + 1), std: Math.sqrt(variance) };
}

/**
 * Smooth advantages of one visit, the i-th: standardised by this visit (An) and by the history (At), blended with weights
 * (i-1)/i and 1/i both ways; the blend of smaller magnitude, the second in a tie. A std of 0 gives 0. DCPO (2509.02333).
 */
export function smoothAdvantages(
  rewards: Float64Array,
  before: PromptHistory,
  decay: number,
): { advantages: Float64Array; after: PromptHistory } {
  const m = constant(rewards) ? rewards[0]! : mean(rewards);
  const s = constant(rewards) ? 0 : std(rewards, 1);
  const after = merged(before, { m, s }, decay);
  const i = after.times;
  const advantages = rewards.map((reward) => {
    const now = s === 0 ? 0 : (reward - m) / s;
    const total = after.std === 0 ? 0 : (reward - after.mean) / after.std;
    const mostlyNow = ((i - 1) / i) * now + (1 / i) * total;
    const mostlyTotal = (1 / i) * now + ((i - 1) / i) * total;
    return Math.abs(mostlyNow) < Math.abs(mostlyTotal) ? mostlyNow : mostlyTotal;
  });
  return { advantages, after };
}
