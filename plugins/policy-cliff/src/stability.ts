/** Tables of a small problem: rewards [model][state][action], weights [model], transition [state][action][next state]. */
export interface Problem {
  rewards: readonly (readonly (readonly number[])[])[];
  modelWeights: readonly number[];
  transition: readonly (readonly (readonly number[])[])[];
}

export interface StabilitySettings {
  /** Temperature of the entropy bonus. */
  alpha: number;
  /** Discount. */
  gamma: number;
  /** Actions tie when their values differ by at most this. */
  tieTolerance: number;
}

const MAX_ITERATIONS = 20000;
const TOLERANCE = 1e-14;

type Table = readonly (readonly number[])[];

/** R_eff(s, a) = Σ_k w_k·R_k(s, a). */
const mixedRewards = ({ rewards, modelWeights }: Problem): number[][] =>
  rewards[0]!.map((row, s) => row.map((_, a) => rewards.reduce((sum, table, k) => sum + modelWeights[k]! * table[s]![a]!, 0)));

/** α·log Σ exp(q/α), from its largest term. */
export function softMaximum(values: readonly number[], alpha: number): number {
  const peak = Math.max(...values);
  return peak + alpha * Math.log(values.reduce((sum, q) => sum + Math.exp((q - peak) / alpha), 0));
}

/** Q = R_eff + γ·E V(s'), iterated from 0 with V = `backup` of the state's values until no entry changes by 1e-14. */
export function actionValues(problem: Problem, gamma: number, backup: (values: readonly number[]) => number): number[][] {
  const rewards = mixedRewards(problem);
  let values: number[][] = rewards.map((row) => row.map(() => 0));
  for (let i = 0; i < MAX_ITERATIONS; i++) {
    const state = values.map((row) => backup(row));
    const next = rewards.map((row, s) =>
      row.map((reward, a) => reward + gamma * problem.transition[s]![a]!.reduce((sum, p, to) => sum + p * state[to]!, 0)),
    );
    const change = next.reduce((most, row, s) => row.reduce((m, q, a) => Math.max(m, Math.abs(q - values[s]![a]!)), most), 0);
    values = next;
    if (change < TOLERANCE) break;
  }
  return values;
}

/** π(a|s) = softmax(Q/α) of the entropy-regularised problem. */
export function softPolicy(problem: Problem, { alpha, gamma }: StabilitySettings): number[][] {
  return actionValues(problem, gamma, (row) => softMaximum(row, alpha)).map((row) => {
    const total = softMaximum(row, alpha);
    return row.map((q) => Math.exp((q - total) / alpha));
  });
}

/** Ascending indices of the best actions of each state without regularisation. */
export const optimalActions = (problem: Problem, { gamma, tieTolerance }: StabilitySettings): number[][] =>
  actionValues(problem, gamma, (row) => Math.max(...row)).map((row) => {
    const best = Math.max(...row);
    return [...row.keys()].filter((a) => row[a]! >= best - tieTolerance);
  });

/** Half the L1 distance of each state's distributions. */
const totalVariation = (a: Table, b: Table): number[] => a.map((row, s) => row.reduce((sum, p, i) => sum + Math.abs(p - b[s]![i]!), 0) / 2);

const uniformOver = (optimal: readonly (readonly number[])[], like: Table): number[][] =>
  optimal.map((actions, s) => like[s]!.map((_, a) => (actions.includes(a) ? 1 / actions.length : 0)));

/** TV(π_1, π_2) <= distance / (2·α·(1 - γ)) for every state, distance = max |R_1 - R_2| over models, states and actions. */
export const stabilityBound = (rewardDistance: number, { alpha, gamma }: Pick<StabilitySettings, "alpha" | "gamma">): number =>
  rewardDistance / (2 * alpha * (1 - gamma));

/** How far a change of the rewards moves the optimal policy, with and without entropy. The Policy Cliff (2507.20150). */
export function compareRewards(
  rewards1: Problem["rewards"],
  rewards2: Problem["rewards"],
  rest: Omit<Problem, "rewards">,
  o: StabilitySettings,
) {
  const [before, after] = [rewards1, rewards2].map((rewards) => ({ ...rest, rewards })) as [Problem, Problem];
  const [softPolicy1, softPolicy2] = [softPolicy(before, o), softPolicy(after, o)];
  const [optimalActions1, optimalActions2] = [optimalActions(before, o), optimalActions(after, o)];
  const rewardDistance = rewards1.reduce(
    (most, table, k) => table.reduce((m, row, s) => row.reduce((n, r, a) => Math.max(n, Math.abs(r - rewards2[k]![s]![a]!)), m), most),
    0,
  );
  return {
    softPolicy1,
    softPolicy2,
    softTv: totalVariation(softPolicy1, softPolicy2),
    greedyTv: totalVariation(uniformOver(optimalActions1, softPolicy1), uniformOver(optimalActions2, softPolicy1)),
    rewardDistance,
    bound: stabilityBound(rewardDistance, o),
    optimalActions1,
    optimalActions2,
  };
}
