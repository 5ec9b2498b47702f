import { type Context, min, options, type Static, type Term, type TrustRegionGate, Type, trustRegionGate, where } from "@proximal/core";

export const cadGateOptions = Type.Object({
  ratioLow: Type.Number({
    default: 0.6,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "Lowest ratio (absolute, not a half-width)",
  }),
  ratioHigh: Type.Number({ default: 1.8, exclusiveMinimum: 1, description: "Highest ratio (absolute, not a half-width)" }),
  filterOverlong: Type.Boolean({ default: true, description: "Responses cut at the length limit take no part" }),
});

/**
 * L = 1/|B| · Σ_i 1/Z_i · Σ_t ω_t·(-min(r·A, clip(r, low, high)·A)), Z_i = Σ_t ω_t, over the responses that were not cut.
 * CAD-RL (2508.10118), eqs. 7–9; that the three add up to this one loss is a reconstruction.
 */
@trustRegionGate({
  id: "cad-rl",
  description: "Wide clip with absolute bounds; every response is a weighted mean of its tokens; overlong ones are left out",
  options: cadGateOptions,
  reads: ["logp", "oldLogp", "advantages", { name: "truncated", optional: true }, { name: "tokenWeights", optional: true }],
  conventions: {
    ratioAnchor: "policy that sampled",
    bound: "absolute ratios, pessimistic minimum",
    aggregation: "weighted mean over the tokens of a response, mean over the responses kept",
  },
})
export class CadGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof cadGateOptions>) {}

  terms(context: Context): Term {
    const { ratio, advantages, mask } = context;
    const { ratioLow, ratioHigh, filterOverlong } = this.o;
    // The advantages hold the factor ω already; being positive it commutes with the minimum.
    const surrogate = min(ratio.mul(advantages), ratio.clip(ratioLow, ratioHigh).mul(advantages)).neg();
    const weights = context.has("tokenWeights") ? context.column("tokenWeights") : mask.cast("float");
    const total = context.sequenceSum(weights);
    const cut = (outside: typeof mask) => ({ value: where(outside, 1, 0), aggregation: "token-mean" as const });
    return {
      value: surrogate.div(where(total.greater(0), total, 1)),
      aggregation: "seq-mean-token-sum",
      ...(filterOverlong ? { without: "truncated" } : {}),
      observe: {
        clipFractionHigh: cut(ratio.greater(ratioHigh).and(advantages.greater(0))),
        clipFractionLow: cut(ratio.less(ratioLow).and(advantages.less(0))),
      },
    };
  }
}
