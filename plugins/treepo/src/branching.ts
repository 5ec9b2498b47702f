export const POLICIES = ["average", "lowProb", "highProb", "lowProbNorm", "highProbNorm"] as const;
export type BranchPolicy = (typeof POLICIES)[number];

/**
 * Paths to continue after a segment: finished paths hand their branches on, every live path goes on at least once.
 * total = max(live, min(max(W - finished, 0), b·finishedThisStep + b·live)). TreePO (2508.17445).
 */
export function branchBudget(
  live: number,
  finishedCount: number,
  finishedThisStep: number,
  { branching, maxWidth }: { branching: number; maxWidth: number },
): number {
  if (live === 0) return 0;
  return Math.max(live, Math.min(Math.max(maxWidth - finishedCount, 0), branching * (finishedThisStep + live)));
}

/** `total` branches over the live paths: evenly, or with weights softmax(±confidence / temperature), each path at least one. */
export function splitBudget(policy: BranchPolicy, logp: readonly ArrayLike<number>[], total: number, temperature: number): number[] {
  const live = logp.length;
  if (policy === "average") {
    const share = Math.max(1, Math.floor(total / live));
    return logp.map((_, i) => (i === live - 1 ? Math.max(1, total - share * (live - 1)) : share));
  }
  const confidence = logp.map((row) => {
    const sum = Array.from(row).reduce((a, b) => a + b, 0);
    return policy.endsWith("Norm") ? sum / Math.max(1, row.length) : sum;
  });
  const lowest = Math.min(...confidence);
  const sign = policy.startsWith("low") ? -1 : 1;
  const scores = confidence.map((c) => (sign * (c - lowest)) / temperature);
  const peak = Math.max(...scores);
  const weights = scores.map((s) => Math.exp(s - peak));
  const sum = weights.reduce((a, b) => a + b, 0);
  return largestRemainder(
    weights.map((w) => w / sum),
    total - live,
  ).map((extra) => extra + 1);
}

/** Integers that sum to `total`, nearest to total·share; remainders to the largest fractions, ties to the lowest index. */
export function largestRemainder(shares: readonly number[], total: number): number[] {
  const exact = shares.map((share) => share * total);
  const result = exact.map(Math.floor);
  const order = exact.map((x, i) => ({ i, fraction: x - Math.floor(x) })).sort((a, b) => b.fraction - a.fraction || a.i - b.i);
  const left = total - result.reduce((a, b) => a + b, 0);
  for (const { i } of order.slice(0, left)) result[i]! += 1;
  return result;
}
