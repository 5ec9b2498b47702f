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
  where,
} from "@proximal/core";
import { ROLLIN } from "./sampler.js";

export const drpoGateOptions = Type.Object({ clipLow: halfWidth("below"), clipHigh: halfWidth("above"), ...aggregationOptions });

/** PPO's clipped surrogate on the policy's own tokens, [B, T]; reference tokens count neither in the sum nor in its denominator. DR-PO (2404.08495). */
@trustRegionGate({
  id: "dr-po",
  description: "Clipped surrogate that leaves the tokens of the reference prefix out",
  options: drpoGateOptions,
  reads: ["logp", "oldLogp", "advantages", { name: "rollin", ...ROLLIN }],
  conventions: { ratioAnchor: "policy that sampled", bound: "half-widths around 1, pessimistic minimum" },
})
export class DrPoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof drpoGateOptions>) {}

  terms(context: Context): Term {
    const { ratio, advantages } = context;
    const rollin = context.column("rollin");
    return {
      value: clippedSurrogate(ratio, advantages, this.o),
      without: "rollin",
      aggregation: aggregationOf(this.o),
      observe: {
        ...clipFractions(ratio, where(rollin, 0, advantages), this.o),
        rollinFraction: { value: rollin.cast("float"), aggregation: "token-mean" },
      },
    };
  }
}
