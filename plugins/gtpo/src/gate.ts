import { type Context, type Term, type TrustRegionGate, trustRegionGate } from "@proximal/core";

/**
 * Strictly on-policy: -A·π / sg[π], value -A, gradient -A·∇log π; token mean of each row, then mean over ALL rows, [B, 1].
 * No clip, no reference. GTPO (2508.03772).
 */
@trustRegionGate({
  id: "gtpo",
  description: "Ratio to the policy itself: plain policy gradient without clip",
  reads: ["logp", "advantages"],
  conventions: { ratioAnchor: "current policy (always 1)", bound: "none", aggregation: "row-mean, empty rows counted" },
})
export class GtpoGate implements TrustRegionGate {
  terms(context: Context): Term {
    const ratio = context.logp.sub(context.logp.stopGradient()).exp();
    return { value: context.sequenceMean(ratio.mul(context.advantages)).neg(), aggregation: "row-mean" };
  }
}
