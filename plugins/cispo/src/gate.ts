import {
  aggregationOf,
  aggregationOptions,
  type Context,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

export const cispoOptions = Type.Object({
  ratioHigh: Type.Number({ default: 5, exclusiveMinimum: 1, description: "Ceiling of the weight, a ratio" }),
  ratioLow: Type.Number({ default: 0, minimum: 0, maximum: 1, description: "Floor of the weight, a ratio; 0 = none" }),
  ...aggregationOptions,
});

/**
 * -w·A·logp with w = sg[clip(r, ratioLow, ratioHigh)], [B, T]: the weight is clipped, never the gradient. dl/dlogp = -w·A.
 * The value says nothing by itself. MiniMax-M1 (2506.13585).
 */
@trustRegionGate({
  id: "cispo",
  description: "Log-likelihood weighted by the detached, clipped importance ratio: no token loses its gradient",
  options: cispoOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "absolute bounds of the weight, both signs of the advantage" },
})
export class CispoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof cispoOptions>) {}

  terms({ logp, ratio, advantages }: Context): Term {
    const { ratioLow, ratioHigh } = this.o;
    const weight = ratio.clip(ratioLow, ratioHigh).stopGradient();
    const share = (holds: typeof ratio) => ({ value: holds.cast("float"), aggregation: "token-mean" }) as const;
    return {
      value: weight.mul(advantages).mul(logp).neg(),
      aggregation: aggregationOf(this.o),
      observe: {
        weight: { value: weight, aggregation: "token-mean" },
        clipFractionHigh: share(ratio.greater(ratioHigh)),
        clipFractionLow: share(ratio.less(ratioLow)),
      },
    };
  }
}
