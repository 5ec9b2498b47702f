import {
  aggregationOf,
  aggregationOptions,
  type Context,
  clipFractions,
  clippedSurrogate,
  halfWidth,
  options,
  ratioOf,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
  where,
} from "@proximal/core";

export const icpoGateOptions = Type.Object({
  shapingLambda: Type.Number({ default: 0.1, exclusiveMinimum: 0, description: "λ of p / (p + λ) for steered responses" }),
  clipLow: halfWidth("below"),
  clipHigh: halfWidth("above"),
  dualClip: Type.Number({ default: 3, exclusiveMinimum: 1, description: "Ceiling of the ratio where the advantage is negative" }),
  ...aggregationOptions,
});

/**
 * Own responses: PPO's clipped surrogate with a dual clip. Steered ones (`hinted`): -A·p / (p + λ) with p = π(token), whose slope
 * λp / (p + λ)² is largest at p = λ; no ratio, no clip. [B, T]. ICPO (2510.26519).
 */
@trustRegionGate({
  id: "icpo",
  description: "Clipped surrogate for own responses, shaped probability for those sampled behind a demonstration",
  options: icpoGateOptions,
  reads: ["logp", "oldLogp", "advantages", "hinted"],
  conventions: {
    ratioAnchor: "policy that sampled; none for steered responses",
    bound: "half-widths around 1, pessimistic minimum, dual clip; none for steered responses",
  },
})
export class IcpoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof icpoGateOptions>) {}

  terms(context: Context): Term {
    const { logp, logRatio, advantages } = context;
    const hinted = context.column("hinted");
    // Steered responses have no ratio: their old log-probs may be anything.
    const ratio = ratioOf(where(hinted, 0, logRatio));
    const probability = ratioOf(logp);
    const shaped = probability.div(probability.add(this.o.shapingLambda));
    return {
      value: where(hinted, advantages.mul(shaped).neg(), clippedSurrogate(ratio, advantages, this.o)),
      aggregation: aggregationOf(this.o),
      observe: {
        ...clipFractions(ratio, where(hinted, 0, advantages), this.o),
        steeredFraction: { value: hinted.cast("float"), aggregation: "row-mean" },
      },
    };
  }
}
