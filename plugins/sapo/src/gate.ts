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

export const sapoOptions = Type.Object({
  tauPos: Type.Number({ default: 1.0, exclusiveMinimum: 0, description: "Temperature where A > 0" }),
  tauNeg: Type.Number({ default: 1.05, exclusiveMinimum: 0, description: "Temperature where A <= 0" }),
  ...aggregationOptions,
});

/**
 * Soft gate: -f(r)·A with f(r) = (4/τ)·σ(τ·(r - 1)), τ = τ⁺ where A > 0 and τ⁻ elsewhere, [B, T].
 * dl/dlogp = -A·r·sech²(τ·(r - 1)/2): the plain policy gradient at r = 1, decaying smoothly on both sides.
 * Soft Adaptive Policy Optimization (2511.20347).
 */
@trustRegionGate({
  id: "sapo",
  description: "Sigmoid-shaped soft clip whose temperature depends on the sign of the advantage",
  options: sapoOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "soft, no token is ever fully clipped" },
})
export class SapoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof sapoOptions>) {}

  terms({ ratio, advantages }: Context): Term {
    const tau = where(advantages.greater(0), this.o.tauPos, this.o.tauNeg);
    const gate = ratio.sub(1).mul(tau).sigmoid();
    // Slope of f at r: 4·σ·(1 - σ), 1 at r = 1.
    const slope = gate.mul(gate.neg().add(1)).mul(4);
    return {
      value: gate.mul(4).div(tau).mul(advantages).neg(),
      aggregation: aggregationOf(this.o),
      observe: { gateSlope: { value: slope, aggregation: "token-mean" } },
    };
  }
}
