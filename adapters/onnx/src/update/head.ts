import { concat, customGradient, type Expr, scatterElementsAdd } from "@proximal/core";

/** Smallest probability whose logarithm is taken. */
const TINY = 1e-37;

/** A softmax that can tell log-probabilities without a second [M, V] tensor. */
export interface Distribution {
  /** [M, V] */
  z: Expr;
  /** [M, V] probabilities */
  p: Expr;
  /** [M, K] log-probabilities of chosen logits [M, K]: z − max z + log max p, which loses no digits of large logits. */
  logProbability(chosen: Expr): Expr;
}

export function distribution(z: Expr): Distribution {
  const p = z.softmax(-1);
  const [peak, logPeak] = [z.reduceMax(-1, true), p.reduceMax(-1, true).log()];
  return { z, p, logProbability: (chosen) => chosen.sub(peak).add(logPeak) };
}

export interface TokenStatistics {
  /** [M] log-probability of the target, nats */
  logp: Expr;
  /** [M] entropy of the distribution, nats */
  entropy?: Expr;
}

/**
 * Log-probability of the targets [M] (int), and entropy. Backward needs the probabilities p alone:
 * dz = onehot(target)·g − p·(g + gₑ·(log p + H)), so that [M, V] is held once.
 */
export function tokenStatistics({ z, p, logProbability }: Distribution, targets: Expr, withEntropy: boolean): TokenStatistics {
  const column = targets.expandDims(-1);
  const logp = logProbability(z.gatherElements(column, -1));
  const scatter = (g: Expr) => scatterElementsAdd(column, g, 1, z.shape[1]!);
  if (!withEntropy) {
    const custom = customGradient(logp, [z], (g) => [p.mul(g.neg()).add(scatter(g))]);
    return { logp: custom.squeeze(-1) };
  }
  const entropy = p.mul(logProbability(z)).sum(-1, true).neg();
  const both = customGradient(concat([logp, entropy], 1), [z], (g) => {
    const [gLogp, gEntropy] = [g.slice(null, [0, 1]), g.slice(null, [1, 2])];
    const inner = p.max(TINY).log().add(entropy).mul(gEntropy).add(gLogp);
    return [p.mul(inner.neg()).add(scatter(gLogp))];
  });
  return { logp: both.slice(null, [0, 1]).squeeze(-1), entropy: both.slice(null, [1, 2]).squeeze(-1) };
}
