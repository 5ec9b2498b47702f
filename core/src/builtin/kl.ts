import { type Static, Type } from "typebox";
import { options, regularizer } from "../extension/component.js";
import type { Context } from "../extension/context.js";
import type { Regularizer, Term } from "../extension/points.js";
import type { Expr } from "../tensor/index.js";
import { aggregationOf, aggregationOptions } from "./aggregation-options.js";

export const KL_ESTIMATORS = ["k1", "k2", "k3", "abs"] as const;
export type KlEstimator = (typeof KL_ESTIMATORS)[number];

const K3_LIMIT = 20;

export const klEstimatorOption = Type.Union(
  KL_ESTIMATORS.map((name) => Type.Literal(name)),
  { default: "k3", description: "k1 = logp - ref; k2 = k1²/2; k3 = exp(-k1) + k1 - 1; abs = |k1|" },
);

/**
 * Per-token estimate of KL(policy || anchor) from samples of the policy, nats, same shape as `logp`.
 * Schulman 2020, "Approximating KL divergence". In k3 the exponent is
 * clamped to ±20: beyond it float32 would overflow.
 */
export function klEstimate(estimator: KlEstimator, logp: Expr, anchor: Expr): Expr {
  const k1 = logp.sub(anchor);
  switch (estimator) {
    case "k1":
      return k1;
    case "k2":
      return k1.square().mul(0.5);
    case "k3":
      return k1.neg().clip(-K3_LIMIT, K3_LIMIT).expm1().add(k1);
    case "abs":
      return k1.abs();
  }
}

/** The same of one token, on numbers. */
export function klEstimateOf(estimator: KlEstimator, logp: number, anchor: number): number {
  const k1 = logp - anchor;
  switch (estimator) {
    case "k1":
      return k1;
    case "k2":
      return (k1 * k1) / 2;
    case "k3":
      return Math.expm1(Math.min(Math.max(-k1, -K3_LIMIT), K3_LIMIT)) + k1;
    case "abs":
      return Math.abs(k1);
  }
}

export const klOptions = Type.Object({
  klEstimator: klEstimatorOption,
  klCap: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: null,
    description: "Each token's estimate is clipped to ±klCap, nats, beyond which it has no gradient; null = off",
  }),
  ...aggregationOptions,
});

@regularizer({
  id: "kl",
  description: "Divergence of the policy from the frozen reference policy",
  options: klOptions,
  reads: ["logp", "refLogp"],
  conventions: { kl: "in the loss, gradient through logp, reference policy" },
})
export class KlRegularizer implements Regularizer {
  constructor(@options() private readonly o: Static<typeof klOptions>) {}

  terms({ logp, refLogp }: Context): Term {
    const { klEstimator, klCap } = this.o;
    const estimate = klEstimate(klEstimator as KlEstimator, logp, refLogp);
    const value = klCap === null ? estimate : estimate.clip(-klCap, klCap);
    return { value, aggregation: aggregationOf(this.o), observe: { kl: { value, aggregation: "token-mean" } } };
  }
}
