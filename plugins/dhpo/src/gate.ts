import {
  aggregationOf,
  aggregationOptions,
  boundedSurrogate,
  boundFractions,
  boundsAround1,
  type Context,
  type Expr,
  halfWidth,
  min,
  options,
  type RatioBounds,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
  where,
} from "@proximal/core";

export const dhpoOptions = Type.Object({
  mixing: Type.Union([Type.Literal("average"), Type.Literal("entropy")], {
    default: "entropy",
    description: "Weight of the token branch: tokenWeight, or the token's entropy scaled to 0…1 within its response",
  }),
  tokenWeight: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Weight of the token branch under average mixing" }),
  branchClip: Type.Union([Type.Literal("pessimistic"), Type.Literal("hard"), Type.Literal("single")], {
    default: "pessimistic",
    description: "PPO's minimum in each branch, a plain clip in each branch, or one minimum over the mixed ratios",
  }),
  clipLow: halfWidth("below", 0.2, "token region"),
  clipHigh: halfWidth("above", 0.2, "token region"),
  seqClipLow: halfWidth("below", 3e-4, "sequence region"),
  seqClipHigh: halfWidth("above", 4e-4, "sequence region"),
  ...aggregationOptions,
});

const MIN_MAX_EPS = 1e-8;

/** (H - min) / (max - min + 1e-8) over the tokens of each response, [B, T]; 0 for a response of constant entropy. */
function entropyWeight(context: Context): Expr {
  const entropy = context.column("oldEntropy");
  const extreme = (sign: 1 | -1) => {
    const peak = where(context.mask, entropy.mul(sign), Number.NEGATIVE_INFINITY).reduceMax(1, true);
    return where(context.rowMask, peak, 0).mul(sign);
  };
  const [lowest, highest] = [extreme(-1), extreme(1)];
  return entropy.sub(lowest).div(highest.sub(lowest).add(MIN_MAX_EPS));
}

/**
 * -(w·b₁ + (1-w)·b₂), [B, T]: b₁ the surrogate on the token ratio r, b₂ on the sequence ratio s, each in its own region;
 * w = tokenWeight or the token's detached, min-max-normalised entropy. w = 1 is GRPO, w = 0 GSPO. DHPO (2601.05607).
 */
@trustRegionGate({
  id: "dhpo",
  description: "Token and sequence surrogates, clipped apart and mixed by a constant or by the entropy of each token",
  options: dhpoOptions,
  reads: ["logp", "oldLogp", "advantages", { name: "oldEntropy", unless: { mixing: "average" } }],
  conventions: {
    ratioAnchor: "policy that sampled; token, and geometric mean over the response",
    bound: "half-widths around 1 in both branches",
  },
})
export class DhpoGate implements TrustRegionGate {
  private readonly token: RatioBounds;
  private readonly sequence: RatioBounds;

  constructor(@options() private readonly o: Static<typeof dhpoOptions>) {
    this.token = boundsAround1(o);
    this.sequence = boundsAround1({ clipLow: o.seqClipLow, clipHigh: o.seqClipHigh });
  }

  private loss(token: Expr, sequence: Expr, advantages: Expr, mix: (a: Expr, b: Expr) => Expr): Expr {
    const clipped = (ratio: Expr, { low, high }: RatioBounds) => ratio.clip(low, high).mul(advantages);
    switch (this.o.branchClip) {
      case "pessimistic":
        return mix(boundedSurrogate(token, advantages, this.token), boundedSurrogate(sequence, advantages, this.sequence));
      case "hard":
        return mix(clipped(token, this.token), clipped(sequence, this.sequence)).neg();
      case "single":
        return min(mix(token, sequence).mul(advantages), mix(clipped(token, this.token), clipped(sequence, this.sequence))).neg();
    }
  }

  terms(context: Context): Term {
    const { ratio, sequenceRatio, advantages } = context;
    const weight = this.o.mixing === "entropy" ? entropyWeight(context) : undefined;
    const { tokenWeight } = this.o;
    const mix = (a: Expr, b: Expr): Expr =>
      weight === undefined ? a.mul(tokenWeight).add(b.mul(1 - tokenWeight)) : weight.mul(a.sub(b)).add(b);
    const sequenceFractions = boundFractions(sequenceRatio, advantages, this.sequence, "seq-mean-token-mean");
    return {
      value: this.loss(ratio, sequenceRatio, advantages, mix),
      aggregation: aggregationOf(this.o),
      observe: {
        ...boundFractions(ratio, advantages, this.token),
        sequenceClipFractionHigh: sequenceFractions.clipFractionHigh,
        sequenceClipFractionLow: sequenceFractions.clipFractionLow,
        ...(weight === undefined ? {} : { tokenWeight: { value: weight, aggregation: "token-mean" } }),
      },
    };
  }
}
