/** Expected rise of the success rate by one update on a prompt that is solved with probability p: largest at p = 1/3. */
const informationGain = (p: number): number => p * (1 - p) ** 2;

/**
 * Learning value of N rollouts of a prompt with success rate p: probability that they are neither all right nor all wrong,
 * times the expected gain. V(N, p) = (1 - p^N - (1 - p)^N)·p·(1 - p)². Knapsack RL (2509.25849).
 */
export const promptValue = (rollouts: number, p: number): number =>
  rollouts < 1 ? 0 : (1 - p ** rollouts - (1 - p) ** rollouts) * informationGain(p);

/** V(N + 1, p) - V(N, p), without the cancellation of the difference. */
export const marginalValue = (rollouts: number, p: number): number =>
  (p ** rollouts * (1 - p) + (1 - p) ** rollouts * p) * informationGain(p);

/**
 * Rollouts that a prompt of success rate 0 < p < 1 needs: to see both outcomes with probability `confidence`, by its likelier
 * outcome, or in expectation until both were seen.
 */
export function rolloutsNeeded(p: number, { costEstimate, confidence }: { costEstimate: string; confidence: number }): number {
  return costEstimate === "expectation" ? 1 / (p * (1 - p)) - 1 : Math.log(1 - confidence) / Math.log(Math.max(p, 1 - p));
}
