import {
  type Context,
  clipFractions,
  clippedSurrogate,
  type Expr,
  halfWidth,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

export const gspoOptions = Type.Object({
  variant: Type.Union([Type.Literal("sequence"), Type.Literal("token")], {
    default: "sequence",
    description: "Gradient of the ratio to all tokens of the response, or of each token's term to its own token only",
  }),
  clipLow: halfWidth("below", 3e-4),
  clipHigh: halfWidth("above", 4e-4),
  maxLogRatio: Type.Number({ default: 10, exclusiveMinimum: 0, description: "Ceiling of the response's mean log-ratio, nats" }),
});

/**
 * -min(s·A, clip(s, 1-εl, 1+εh)·A), s_i = exp(1/T_i·Σ_t (logp - oldLogp)), one term a response. In the token variant
 * s_{i,t} = sg[s_i]·exp(logp - sg[logp]): the same value, gradient to its own token. GSPO (2507.18071).
 */
@trustRegionGate({
  id: "gspo",
  description: "Clipped surrogate on the length-normalised ratio of the whole response",
  options: gspoOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: {
    ratioAnchor: "policy that sampled, geometric mean over the response",
    ratioLevel: "sequence mean",
    bound: "half-widths around 1, pessimistic minimum",
    aggregation: "mean over non-empty responses",
  },
})
export class GspoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof gspoOptions>) {}

  private ratio(context: Context, logRatio: Expr): Expr {
    const sequence = logRatio.min(this.o.maxLogRatio).exp();
    if (this.o.variant === "sequence") return sequence;
    const { logp } = context;
    return sequence.stopGradient().mul(logp.sub(logp.stopGradient()).exp());
  }

  terms(context: Context): Term {
    const { advantages } = context;
    const logRatio = context.sequenceMean(context.logRatio);
    const ratio = this.ratio(context, logRatio);
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
