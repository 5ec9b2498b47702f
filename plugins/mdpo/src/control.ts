import { constant, type Expr, gradient } from "@proximal/core";
import { mirrorDescent } from "./proximity.js";

// The forms for control policies with full distributions or reparameterised actions: pure, not part of a language-model run.

/** mean_i(-r_i·A_i + KL_i / t), KL over all actions in closed form; logits [N, A], actions [N] int, advantages [N]. MDPO (2005.09814). */
export function exactKlLoss(logits: Expr, oldLogits: Expr, actions: Expr, advantages: Expr, stepSize: number): Expr {
  const [logPi, oldLogPi] = [logits.logSoftmax(-1), oldLogits.logSoftmax(-1)];
  const taken = (logProbs: Expr): Expr => logProbs.gatherElements(actions.expandDims(-1), -1).squeeze(-1);
  const ratio = taken(logPi).sub(taken(oldLogPi)).exp();
  const kl = logPi.exp().mul(logPi.sub(oldLogPi)).sum(-1);
  return mirrorDescent(ratio, advantages, kl, 1 / stepSize)
    .sum()
    .div(constant(Number(logits.shape[0])));
}

/** mean(c·log π + (λ - c)·q_T·log π_k - Q1), [N] each: actor loss for reparameterised actions. MDPO (2005.09814), off-policy. */
export const actorLoss = (
  logProbs: Expr,
  oldLogProbs: Expr,
  q: Expr,
  { klCoef, entropyCoef, tsallisQ }: { klCoef: number; entropyCoef: number; tsallisQ: number },
): Expr =>
  logProbs
    .mul(klCoef)
    .add(oldLogProbs.mul((entropyCoef - klCoef) * tsallisQ))
    .sub(q)
    .sum()
    .div(constant(Number(q.shape[0])));

/** min(Q1, Q2) - λ·log π: target of the state value. MDPO (2005.09814), off-policy. */
export const softValue = (q1: number, q2: number, logProb: number, entropyCoef: number): number => Math.min(q1, q2) - entropyCoef * logProb;

/** A loss and its gradients, as expressions. */
export const withGradients = (loss: Expr, variables: readonly Expr[]): Expr[] => [loss, ...gradient(loss, variables)];
