import {
  type Context,
  clippedSurrogate,
  constant,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

export const editGateOptions = Type.Object({
  clipLow: Type.Number({ default: 0.2, exclusiveMinimum: 0, description: "Half-width below 1; never acts, all advantages are 1" }),
  clipHigh: Type.Number({ default: 0.28, exclusiveMinimum: 0, description: "Half-width above 1: how far one batch may raise a token" }),
});

/**
 * -(1/N)·Σ min(r, clip(r, 1 - clipLow, 1 + clipHigh)) over the N target tokens of the batch, r = exp(logp - oldLogp) against
 * the snapshot: a clipped surrogate on demonstrations with advantage 1. PSFT (2508.17784), edit stage of EtCon (2512.04753).
 */
@trustRegionGate({
  id: "etcon",
  description: "Supervised training that stops raising a token once it is 1 + clipHigh times as likely as in the snapshot",
  options: editGateOptions,
  reads: ["logp", "oldLogp"],
  conventions: { ratioAnchor: "snapshot at the start of the batch", bound: "half-widths around 1", aggregation: "token-mean" },
})
export class EditGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof editGateOptions>) {}

  terms({ ratio }: Context): Term {
    const stopped = ratio.greater(1 + this.o.clipHigh).cast("float");
    return {
      value: clippedSurrogate(ratio, constant(1), { ...this.o, dualClip: null }),
      aggregation: "token-mean",
      observe: { stopped: { value: stopped, aggregation: "token-mean" } },
    };
  }
}
