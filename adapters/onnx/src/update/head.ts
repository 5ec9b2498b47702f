import { concat, customGradient, type Expr, scatterElementsAdd } from "@proximal/core";

/** Smallest probability whose logarithm is taken. */
const TINY = 1e-37;

export interface TokenStatistics {
  /** [M] log-probability of the target, nats */
  logp: Expr;
  /** [M] entropy of the distribution, nats */
  entropy?: Expr;
}

/**
 * Log-probability of the targets [M] (int) and entropy under softmax(z), z [M, V]. Backward needs the probabilities p
 * alone: dz = onehot(target)·g − p·(g + gₑ·(log p + H)), so that [M, V] is held once.
 */
export function tokenStatistics(z: Expr, targets: Expr, withEntropy: boolean): TokenStatistics {
  const column = targets.expandDims(-1);
  const p = z.softmax(-1);
  // exp(max z − lse) = max p
  const lse = z.reduceMax(-1, true).sub(p.reduceMax(-1, true).log());
  const logp = z.gatherElements(column, -1).sub(lse);
  const scatter = (g: Expr) => scatterElementsAdd(column, g, 1, z.shape[1]!);
  if (!withEntropy) {
    const custom = customGradient(logp, [z], (g) => [p.mul(g.neg()).add(scatter(g))]);
    return { logp: custom.squeeze(-1) };
  }
  const entropy = lse.sub(p.mul(z).sum(-1, true));
  const both = customGradient(concat([logp, entropy], 1), [z], (g) => {
    const [gLogp, gEntropy] = [g.slice(null, [0, 1]), g.slice(null, [1, 2])];
    const inner = p.max(TINY).log().add(entropy).mul(gEntropy).add(gLogp);
    return [p.mul(inner.neg()).add(scatter(gLogp))];
  });
  return { logp: both.slice(null, [0, 1]).squeeze(-1), entropy: both.slice(null, [1, 2]).squeeze(-1) };
}
