import { ConfigError } from "@proximal/core";
import { marginalValue, rolloutsNeeded } from "./value.js";

export interface AllocationOptions {
  rolloutsPerPrompt: number;
  minRollouts: number;
  maxRollouts: number;
  zeroRollouts?: number;
  oneRollouts?: number;
  confidence: number;
  costEstimate: string;
  redistributeExcess: boolean;
  totalBudget?: number;
}

export interface Allocation {
  /** Rollouts of each prompt, [P]. */
  allocation: number[];
  /** The prompts that can teach need less than the budget: the rest went to others. */
  redistributed: boolean;
}

/** Adds `amount` evenly to the given prompts, what is left one by one to the lowest indices. */
function spread(allocation: number[], prompts: readonly number[], amount: number): void {
  const share = Math.floor(amount / prompts.length);
  prompts.forEach((i, at) => {
    allocation[i]! += share + (at < amount - share * prompts.length ? 1 : 0);
  });
}

/** Gives `amount` rollouts one by one to the prompt whose value rises most, up to `cap` each; returns what no prompt could take. */
function grow(allocation: number[], prompts: readonly number[], rates: readonly number[], amount: number, cap: number): number {
  const gain = (at: number) => {
    const rollouts = allocation[prompts[at]!]!;
    return rollouts < cap ? marginalValue(rollouts, rates[at]!) : Number.NEGATIVE_INFINITY;
  };
  const gains = prompts.map((_, at) => gain(at));
  for (let left = amount; left > 0; left--) {
    let best = 0;
    for (let at = 1; at < gains.length; at++) if (gains[at]! > gains[best]!) best = at;
    if (gains[best] === Number.NEGATIVE_INFINITY) return left;
    allocation[prompts[best]!]! += 1;
    gains[best] = gain(best);
  }
  return 0;
}

/**
 * Rollouts of each prompt that maximise Σ V(N_i, p_i) at a fixed total: the value is concave in N, so that giving one by one
 * to the largest marginal value is optimal. `successRate` null = never seen. The sum is always the budget. 2509.25849.
 */
export function allocate(successRate: readonly (number | null)[], o: AllocationOptions): Allocation {
  const { rolloutsPerPrompt, minRollouts, zeroRollouts = minRollouts, oneRollouts = minRollouts } = o;
  const where = (holds: (p: number | null) => boolean) => successRate.flatMap((p, i) => (holds(p) ? [i] : []));
  const unsolved = where((p) => p === 0);
  const effective = where((p) => p !== null && p > 0 && p < 1);
  if (effective.length === 0 && unsolved.length === 0) {
    return { allocation: successRate.map(() => rolloutsPerPrompt), redistributed: false };
  }

  const allocation = successRate.map((p) =>
    p === null ? rolloutsPerPrompt : p === 0 ? zeroRollouts : p === 1 ? oneRollouts : minRollouts,
  );
  const budget = o.totalBudget ?? successRate.length * rolloutsPerPrompt;
  const fixed = allocation.reduce((a, b) => a + b, 0);
  if (fixed > budget) {
    throw new ConfigError(`the fixed shares of ${successRate.length} prompts are ${fixed} rollouts, more than the budget`, {
      given: budget,
      accepted: `at least ${fixed}`,
      hint: "lower minRollouts, zeroRollouts or oneRollouts, or raise rolloutsPerPrompt or totalBudget",
    });
  }
  let left = budget - fixed;
  if (effective.length === 0) {
    spread(allocation, unsolved, left);
    return { allocation, redistributed: false };
  }

  const rates = effective.map((i) => successRate[i]!);
  const needed = rates.reduce((sum, p) => sum + Math.floor(Math.min(o.maxRollouts, rolloutsNeeded(p, o))), 0);
  const redistributed = o.redistributeExcess && needed < left;
  const receivers = unsolved.length > 0 ? unsolved : where((p) => p === null || p === 1);
  if (redistributed && receivers.length > 0) {
    spread(allocation, receivers, left - needed);
    left = needed;
  }
  spread(allocation, effective, grow(allocation, effective, rates, left, o.maxRollouts));
  return { allocation, redistributed };
}
