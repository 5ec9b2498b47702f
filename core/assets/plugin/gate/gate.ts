import { type Context, min, options, type Static, type Term, type TrustRegionGate, Type, trustRegionGate } from "@proximal/core";

const gateOptions = Type.Object({
  clipLow: Type.Number({ default: 0.2, minimum: 0, maximum: 1, description: "Half-width of the clip below 1" }),
  clipHigh: Type.Number({ default: 0.28, minimum: 0, description: "Half-width of the clip above 1" }),
});

/** -min(r·A, clip(r, 1 - clipLow, 1 + clipHigh)·A), [B, T]; r = π/π_old of each token. Schulman et al. 2017 (1707.06347), eq. 7. */
@trustRegionGate({
  id: "my-slug",
  description: "Clipped surrogate on the token ratio",
  options: gateOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "half-widths around 1" },
})
export class MySlugGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof gateOptions>) {}

  terms({ ratio, advantages }: Context): Term {
    const clipped = ratio.clip(1 - this.o.clipLow, 1 + this.o.clipHigh);
    const outside = ratio.sub(clipped).abs().greater(0).cast("float");
    return {
      value: min(ratio.mul(advantages), clipped.mul(advantages)).neg(),
      observe: { outsideFraction: { value: outside, aggregation: "token-mean" } },
    };
  }
}
