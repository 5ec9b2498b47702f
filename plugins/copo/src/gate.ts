import {
  aggregationOf,
  type Context,
  clipOptions,
  clippedSurrogate,
  clippedTokens,
  type Expr,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

export const copoGateOptions = Type.Object({
  ...clipOptions.properties,
  dualClip: Type.Union([Type.Number({ exclusiveMinimum: 1 }), Type.Null()], {
    default: 3,
    description: "Ceiling c of the ratio where an advantage is negative: loss at most -c·A; null = off",
  }),
});

/**
 * w·l(L) + (1 - w)·l(g), [B, T]: l is the dual-clip surrogate on the token ratio, L, g and w are of the response.
 * COPO (2025), official code.
 */
@trustRegionGate({
  id: "copo",
  description: "Blend of two clipped surrogates, one with the local and one with the global advantage",
  options: copoGateOptions,
  reads: ["logp", "oldLogp", "localAdvantages", "globalAdvantages", "localWeights"],
  conventions: { ratioAnchor: "policy that sampled", bound: "half-widths around 1, pessimistic minimum, each loss for itself" },
})
export class CopoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof copoGateOptions>) {}

  terms(context: Context): Term {
    const { ratio } = context;
    const [local, global, weight] = (["localAdvantages", "globalAdvantages", "localWeights"] as const).map((name) => context.column(name));
    const blend = (ofLocal: Expr, ofGlobal: Expr): Expr => ofLocal.sub(ofGlobal).mul(weight!).add(ofGlobal);
    const [clippedLocal, clippedGlobal] = [clippedTokens(ratio, local!, this.o), clippedTokens(ratio, global!, this.o)];
    return {
      value: blend(clippedSurrogate(ratio, local!, this.o), clippedSurrogate(ratio, global!, this.o)),
      aggregation: aggregationOf(this.o),
      observe: {
        clipFractionHigh: { value: blend(clippedLocal.high, clippedGlobal.high), aggregation: "token-mean" },
        clipFractionLow: { value: blend(clippedLocal.low, clippedGlobal.low), aggregation: "token-mean" },
      },
    };
  }
}
