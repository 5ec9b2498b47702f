/** Beta tracker of a prompt's success rate; value v = alpha / (alpha + beta), effective count alpha + beta. */
export interface Beta {
  alpha: number;
  beta: number;
}

export const value = ({ alpha, beta }: Beta): number => alpha / (alpha + beta);

/**
 * N0 = 1 / (1 - rhoMin) pseudo-observations spread by `successes` of `trials` offline responses;
 * alpha = beta = 1/2 without any trial. SPO (2509.13232).
 */
export function initialTracker(successes: number, trials: number, rhoMin: number): Beta {
  if (trials === 0) return { alpha: 0.5, beta: 0.5 };
  const count = 1 / (1 - rhoMin);
  return { alpha: (count * (successes + 0.5)) / (trials + 1), beta: (count * (trials - successes + 0.5)) / (trials + 1) };
}

export interface Forgetting {
  rhoMode: "kl" | "constant";
  rhoMin: number;
  rhoMax: number;
  halfLife: number;
  rhoConstant: number;
}

/** rho = clip(2^(-D / halfLife), rhoMin, rhoMax): the more the policy moved since the last visit, the more is forgotten. */
export const forgettingFactor = (divergence: number, o: Forgetting): number =>
  o.rhoMode === "constant" ? o.rhoConstant : Math.min(Math.max(2 ** (-divergence / o.halfLife), o.rhoMin), o.rhoMax);

/** alpha ← rho·alpha + r, beta ← rho·beta + (1 - r); reward r in [0, 1]. */
export const updated = ({ alpha, beta }: Beta, reward: number, rho: number): Beta => ({
  alpha: rho * alpha + reward,
  beta: rho * beta + 1 - reward,
});

/** D = mean |logp now - logp stored| over the stored response's tokens; 0 when nothing is stored. */
export function divergence(now: ArrayLike<number>, stored: ArrayLike<number>): number {
  if (stored.length === 0) return 0;
  let total = 0;
  for (let t = 0; t < stored.length; t++) total += Math.abs(now[t]! - stored[t]!);
  return total / stored.length;
}

/** w = sqrt(v·(1 - v)) + explorationEps: uncertain prompts first. */
export const priority = (tracker: Beta, explorationEps: number): number => {
  const v = value(tracker);
  return Math.sqrt(v * (1 - v)) + explorationEps;
};
