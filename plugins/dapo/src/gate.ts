import {
  aggregationOf,
  aggregationOptions,
  type Context,
  clipFractions,
  clippedSurrogate,
  halfWidth,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

export const dapoGateOptions = Type.Object({
  clipLow: halfWidth("below", 0.2),
  clipHigh: halfWidth("above", 0.28),
  overlongFilter: Type.Boolean({ default: false, description: "Leave responses that were cut at the length limit out of the loss" }),
  ...aggregationOptions,
});

/**
 * Clip-higher: -min(r·A, clip(r, 1-εl, 1+εh)·A), εl < εh, [B, T]; truncated responses optionally count neither in the sum nor
 * in the number of tokens. DAPO (2503.14476).
 */
@trustRegionGate({
  id: "dapo",
  description: "Token clip that is wider above than below, optionally without truncated responses",
  options: dapoGateOptions,
  reads: ["logp", "oldLogp", "advantages", { name: "truncated", unless: { overlongFilter: false } }],
  conventions: { ratioAnchor: "policy that sampled", bound: "half-widths around 1, wider above, pessimistic minimum" },
})
export class DapoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof dapoGateOptions>) {}

  terms(context: Context): Term {
    const { ratio, advantages } = context;
    const filters = this.o.overlongFilter && context.has("truncated");
    return {
      value: clippedSurrogate(ratio, advantages, this.o),
      aggregation: aggregationOf(this.o),
      ...(filters ? { without: "truncated" } : {}),
      observe: clipFractions(ratio, advantages, this.o),
    };
  }
}
