import { constant, type Expr, guard, input, type OptimizerOptions } from "@proximal/core";
import { choose } from "../lowering/index.js";
import type { ParameterSpec } from "../model/index.js";

/** Scalars fed at each step, float []. */
export const OPTIMIZER_FEEDS = {
  learningRate: "optimizer:learningRate",
  correction1: "optimizer:correction1",
  correction2: "optimizer:correction2",
};

/** Values of the scalar feeds at the given step, counted from 1: the learning rate and 1 / (1 − βᵗ). */
export function optimizerFeeds({ beta1, beta2 }: OptimizerOptions, step: number, learningRate: number): Record<string, number> {
  return {
    [OPTIMIZER_FEEDS.learningRate]: learningRate,
    [OPTIMIZER_FEEDS.correction1]: 1 / (1 - beta1 ** step),
    [OPTIMIZER_FEEDS.correction2]: 1 / (1 - beta2 ** step),
  };
}

/** Names of the optimizer's tensors, as graph inputs and as entries of the training state. */
export const momentName = (kind: "m" | "v", parameter: string): string => `${kind}:${parameter}`;

export interface OptimizerStep {
  /** Parameters and moments after the step, by the name under which they are fed. */
  updated: Map<string, Expr>;
  /** [] global L2 norm before clipping */
  gradNorm: Expr;
}

const CLIP_EPSILON = 1e-6;

/**
 * AdamW after clipping the global norm. Loshchilov & Hutter 2019 (1711.05101), algorithm 2; the decay is scaled by the
 * learning rate and spares norms and biases. Where the loss or the norm is not finite, everything keeps its value.
 * Nothing is overwritten before `reads` exist, which read the parameters besides the gradients.
 */
export function adamW(
  table: readonly ParameterSpec[],
  parameters: ReadonlyMap<string, Expr>,
  gradients: readonly Expr[],
  loss: Expr,
  reads: readonly Expr[],
  { beta1, beta2, epsilon, weightDecay, maxGradNorm }: OptimizerOptions,
): OptimizerStep {
  const gradNorm = gradients
    .map((g) => g.square().sum())
    .reduce((a, b) => a.add(b))
    .sqrt();
  const ok = reads.reduce<Expr>((condition, x) => guard(condition, x), gradNorm.isFinite().and(loss.isFinite()));
  const scale = maxGradNorm === null ? constant(1) : gradNorm.add(CLIP_EPSILON).reciprocal().mul(maxGradNorm).min(1);
  const [rate, correction1, correction2] = Object.values(OPTIMIZER_FEEDS).map((name) => input(name, [])) as [Expr, Expr, Expr];
  // η·m̂ / (√v̂ + ε) with the scalars in front: fewer passes over the parameters.
  const root = correction2.sqrt();
  const [pace, floor] = [rate.mul(correction1).div(root), root.reciprocal().mul(epsilon)];
  const [share1, share2] = [scale.mul(1 - beta1), scale.square().mul(1 - beta2)];
  const kept = rate.mul(-weightDecay).add(1);

  const [names, after, before]: [string[], Expr[], Expr[]] = [[], [], []];
  table.forEach(({ name, shape, decay }, i) => {
    const p = parameters.get(name)!;
    const [m, v] = [input(momentName("m", name), shape), input(momentName("v", name), shape)];
    const g = gradients[i]!;
    const m1 = m.mul(beta1).add(g.mul(share1));
    const v1 = v.mul(beta2).add(g.square().mul(share2));
    const step = m1.mul(pace).div(v1.sqrt().add(floor));
    const p1 = (decay && weightDecay > 0 ? p.mul(kept) : p).sub(step);
    names.push(name, m.attributes.name, v.attributes.name);
    after.push(p1, m1, v1);
    before.push(p, m, v);
  });
  const next = choose(ok, after, before, [...before, ...gradients, pace, floor, share1, share2, kept]);
  const updated = new Map(names.map((name, i) => [name, next[i]!]));
  return { updated, gradNorm };
}
