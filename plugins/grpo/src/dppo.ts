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
  where,
} from "@proximal/core";

const moved = (side: string) =>
  Type.Number({
    default: 0.2,
    minimum: 0,
    description: `A token is dropped when its probability ${side} by more than this since sampling`,
  });

export const dppoOptions = Type.Object({
  maskHigh: moved("rose, at a positive advantage,"),
  maskLow: moved("fell, at a negative advantage,"),
  driftCoef: Type.Number({ default: 0, minimum: 0, description: "Weight of (logp - oldLogp)² on every token, dropped ones included" }),
  ...aggregationOptions,
});

/**
 * -r·A, 0 where the update already moved the token's probability p out of its region: p - p_old > maskHigh at A > 0,
 * p_old - p > maskLow at A < 0; and driftCoef·(logp - oldLogp)² on every token, [B, T]. The region is one of total variation: a
 * rare token may change its ratio a lot. Divergence PPO (2602.04879), binary form; drift term: Kimi K2.5 (2602.02276).
 */
@trustRegionGate({
  id: "dppo",
  description: "Importance sampling; tokens whose probability moved too far in the advantage's direction are dropped",
  options: dppoOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "change of the token's probability, masked by the sign of the advantage" },
})
export class DppoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof dppoOptions>) {}

  terms({ logp, oldLogp, ratio, logRatio, advantages }: Context): Term[] {
    const { maskHigh, maskLow, driftCoef } = this.o;
    const rise = logp.exp().sub(oldLogp.exp());
    const high = rise.greater(maskHigh).and(advantages.greater(0));
    const low = rise.less(-maskLow).and(advantages.less(0));
    const aggregation = aggregationOf(this.o);
    const surrogate: Term = {
      value: where(high.or(low), 0, ratio.mul(advantages).neg()),
      aggregation,
      observe: {
        clipFractionHigh: { value: high.cast("float"), aggregation: "token-mean" },
        clipFractionLow: { value: low.cast("float"), aggregation: "token-mean" },
      },
    };
    return driftCoef === 0 ? [surrogate] : [surrogate, { value: logRatio.square().mul(driftCoef), aggregation }];
  }
}
