import type { Expr, State, StepExpressions, StepValues } from "@proximal/core";

/** Adam's moments of the output layer, row by row of the vocabulary. */
export interface MomentState extends State {
  /** Updates of the moments so far. */
  step: number;
  /** [V · H] first moments, row-major. */
  m: Float64Array;
  /** [V · H] second moments. */
  v: Float64Array;
}

export interface AdamOptions {
  beta1: number;
  beta2: number;
  adamEpsilon: number;
}

export const noMoments = (size: number): MomentState => ({
  version: 1,
  step: 0,
  m: new Float64Array(size),
  v: new Float64Array(size),
});

/** Moments [V, H] and the bias corrections 1 - β^n of the coming step n. */
export const momentValues = ({ step, m, v }: MomentState, shape: readonly number[], { beta1, beta2 }: AdamOptions): StepValues => ({
  firstMoment: { shape, data: m },
  secondMoment: { shape, data: v },
  firstCorrection: 1 - beta1 ** (step + 1),
  secondCorrection: 1 - beta2 ** (step + 1),
});

/**
 * Adam's direction [B, T, K, H] for the gradient G of the rows `tokens` [B, T, K], every token by itself:
 * (β₁m + (1 - β₁)G)/c₁ / (sqrt((β₂q + (1 - β₂)G²)/c₂) + ε).
 */
export function adamDirection(G: Expr, tokens: Expr, moments: StepExpressions, { beta1, beta2, adamEpsilon }: AdamOptions): Expr {
  const { firstMoment, secondMoment, firstCorrection, secondCorrection } = moments;
  const corrected = (moment: Expr, beta: number, fresh: Expr, correction: Expr): Expr =>
    moment
      .gather(tokens)
      .mul(beta)
      .add(fresh.mul(1 - beta))
      .div(correction.squeeze(-1).squeeze(-1));
  const mean = corrected(firstMoment!, beta1, G, firstCorrection!);
  const square = corrected(secondMoment!, beta2, G.square(), secondCorrection!);
  return mean.div(square.sqrt().add(adamEpsilon));
}

/** The moments after a batch with the mean gradient `gradient` [V · H]; rows that no kept token touched decay. */
export function advance({ version, step, m, v }: MomentState, gradient: Float64Array, { beta1, beta2 }: AdamOptions): MomentState {
  return {
    version,
    step: step + 1,
    m: m.map((x, i) => beta1 * x + (1 - beta1) * gradient[i]!),
    v: v.map((x, i) => beta2 * x + (1 - beta2) * gradient[i]! ** 2),
  };
}
