import type { Expr } from "@proximal/core";

/** What an update is predicted to do to one token's distribution. Constants, [B, T]. */
export interface Shifts {
  /** m_H: change of the objective. */
  objective: Expr;
  /** m_F: change of the policy, a second-order KL. */
  policy: Expr;
}

/**
 * Second-order model of one step of size `learningRate` on the output layer of the sampled token, whose logit gradient of the
 * log-prob is v = e_a - π [B, T, K] over the K candidates and whose step direction D [K, H] moves the logits by u = D·h:
 *   m_H = lr·⟨G, D⟩ + lr²/2·A·((v·u)² - uᵀFu),  m_F = lr²/2·(v·u)²
 * with G = A·v·hᵀ, hence ⟨G, D⟩ = A·(v·u), and uᵀFu = Σ π·u² - (Σ π·u)². CAPO (2510.00819).
 */
export function shifts(v: Expr, u: Expr, probs: Expr, advantages: Expr, learningRate: Expr): Shifts {
  const over = (x: Expr): Expr => x.sum(-1);
  const slope = over(v.mul(u));
  const fisher = over(probs.mul(u.square())).sub(over(probs.mul(u)).square());
  const half = learningRate.square().mul(0.5);
  return {
    objective: advantages.mul(learningRate.mul(slope).add(half.mul(slope.square().sub(fisher)))),
    policy: half.mul(slope.square()),
  };
}
