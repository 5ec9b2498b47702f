import {
  aggregationOf,
  aggregationOptions,
  type Context,
  type Expr,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

const positive = (fallback: number, description: string) => Type.Number({ default: fallback, exclusiveMinimum: 0, description });

export const mhpoOptions = Type.Object({
  bound: positive(1.5, "c: the modulated log-ratio stays within (-c, c), nats"),
  shapePos: positive(1.5, "Weibull shape of the hazard above 1"),
  scalePos: positive(1, "Weibull scale of the hazard above 1"),
  shapeNeg: positive(2, "Weibull shape of the hazard below 1"),
  scaleNeg: positive(0.8, "Weibull scale of the hazard below 1"),
  ...aggregationOptions,
});

/** Log-ratios are clamped to ±20: tanh is flat long before. */
const LOG_RATIO_LIMIT = 20;

/** (softplus(x)/scale)^shape: cumulative hazard of a Weibull distribution at softplus(x). */
const hazard = (x: Expr, shape: number, scale: number): Expr => x.softplus().div(scale).pow(shape);

/**
 * -exp(ψ - ζ)·A, [B, T]; ψ = c·tanh(d/c), d = logp - oldLogp; ζ the detached hazards of ψ on both sides.
 * dl/dlogp = -A·exp(ψ - ζ)·(1 - tanh²(d/c)): bounded by e^c. MHPO (2603.16929).
 */
@trustRegionGate({
  id: "mhpo",
  description: "Ratio bounded smoothly in log space and damped by a hazard that is steeper below 1 than above",
  options: mhpoOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "soft; on-policy the multiplier is 0.265 with the defaults, not 1" },
})
export class MhpoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof mhpoOptions>) {}

  terms({ logRatio, advantages }: Context): Term {
    const { bound, shapePos, scalePos, shapeNeg, scaleNeg } = this.o;
    const slope = logRatio.clip(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT).div(bound).tanh();
    const modulated = slope.mul(bound);
    const detached = modulated.stopGradient();
    const above = hazard(detached, shapePos, scalePos);
    const below = hazard(detached.neg(), shapeNeg, scaleNeg);
    const multiplier = modulated.sub(above.add(below)).exp();
    const mean = (value: Expr) => ({ value, aggregation: "token-mean" }) as const;
    return {
      value: multiplier.mul(advantages).neg(),
      aggregation: aggregationOf(this.o),
      observe: {
        gateSlope: mean(multiplier.mul(slope.square().neg().add(1))),
        hazardAbove: mean(above),
        hazardBelow: mean(below),
      },
    };
  }
}
