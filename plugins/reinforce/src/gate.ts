import {
  aggregationOf,
  aggregationOptions,
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

const halfWidth = (side: string) =>
  Type.Union([Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), Type.Null()], {
    default: null,
    description: `Half-width of the clip ${side} 1; both null = the plain loss`,
  });

export const reinforceGateOptions = Type.Object({ clipLow: halfWidth("below"), clipHigh: halfWidth("above"), ...aggregationOptions });

/** -A·logp, [B, T], the score-function loss (Williams 1992); with a clip PPO's surrogate, as in REINFORCE++ (2501.03262). */
@trustRegionGate({
  id: "reinforce",
  description: "Score-function loss -A·logp, or the clipped ratio surrogate when a clip is set",
  options: reinforceGateOptions,
  reads: ["logp", "advantages", { name: "oldLogp", unless: { clipLow: null, clipHigh: null } }],
  conventions: { ratioAnchor: "policy that sampled", bound: "none unless clipLow or clipHigh is set" },
})
export class ReinforceGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof reinforceGateOptions>) {}

  terms(context: Context): Term {
    const { logp, advantages } = context;
    const aggregation = aggregationOf(this.o);
    if (this.o.clipLow === null && this.o.clipHigh === null) {
      return { value: advantages.mul(logp).neg(), aggregation, observe: { advantage: { value: advantages, aggregation: "token-mean" } } };
    }
    const { ratio } = context;
    return {
      value: clippedSurrogate(ratio, advantages, this.o),
      aggregation,
      observe: clipFractions(ratio, advantages, this.o),
    };
  }
}
