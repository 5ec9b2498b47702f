import {
  type Context,
  clipFractions,
  clippedSurrogate,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

export const eapoGateOptions = Type.Object({
  clipLow: Type.Number({ default: 3e-4, exclusiveMinimum: 0, description: "Half-width of the clip below 1" }),
  clipHigh: Type.Number({ default: 4e-4, exclusiveMinimum: 0, description: "Half-width of the clip above 1" }),
});

/**
 * -min(s·A, clip(s, 1 - εl, 1 + εh)·A) with the sequence ratio s = exp(mean of logp - oldLogp over the round's tokens), [B, 1]; mean over
 * rounds. GSPO (2507.18071), as EAPO (2511.07327) uses it.
 */
@trustRegionGate({
  id: "eapo",
  description: "Clipped surrogate on the geometric mean of a round's token ratios, mean over rounds",
  options: eapoGateOptions,
  conventions: {
    ratioAnchor: "policy that sampled",
    ratioLevel: "sequence",
    bound: "half-widths around 1",
    aggregation: "mean over rounds",
  },
})
export class RoundGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof eapoGateOptions>) {}

  terms(context: Context): Term {
    const { sequenceRatio } = context;
    // All tokens of a round share its advantage.
    const advantages = context.sequenceMean(context.advantages);
    const bounds = { ...this.o, dualClip: null };
    return {
      value: clippedSurrogate(sequenceRatio, advantages, bounds),
      aggregation: "seq-mean-token-mean",
      observe: clipFractions(sequenceRatio, advantages, bounds),
    };
  }
}
