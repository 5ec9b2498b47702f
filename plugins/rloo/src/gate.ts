import {
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

export const rlooGateOptions = Type.Object({ clipLow: halfWidth("below"), clipHigh: halfWidth("above") });

/** exp(20) ≈ 4.9e8 is the largest ratio that is told apart; small ones underflow to 0 by themselves. */
const LOG_RATIO_LIMIT = 20;

/** One term a response: -min(s·A, clip(s, 1-εl, 1+εh)·A), s = exp(Σ_t (logp - oldLogp)), not divided by the length. RLOO (2402.14740). */
@trustRegionGate({
  id: "rloo",
  description: "Clipped surrogate on the probability ratio of the whole response",
  options: rlooGateOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: {
    ratioAnchor: "policy that sampled, product over the response",
    ratioLevel: "sequence product",
    bound: "half-widths around 1, pessimistic minimum",
    aggregation: "mean over non-empty responses",
  },
})
export class RlooGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof rlooGateOptions>) {}

  terms(context: Context): Term {
    const { advantages } = context;
    const logRatio = context.sequenceSum(context.logRatio);
    const ratio = logRatio.min(LOG_RATIO_LIMIT).exp();
    const aggregation = "seq-mean-token-mean";
    return {
      value: clippedSurrogate(ratio, advantages, this.o),
      aggregation,
      observe: {
        ...clipFractions(ratio, advantages, this.o, aggregation),
        sequenceLogRatio: { value: logRatio.abs(), aggregation },
      },
    };
  }
}
