import {
  aggregationOf,
  aggregationOptions,
  boundedSurrogate,
  boundFractions,
  type Context,
  type Expr,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

const between0And1 = (fallback: number, description: string) =>
  Type.Number({ default: fallback, exclusiveMinimum: 0, exclusiveMaximum: 1, description });

export const etrOptions = Type.Object({
  clipLow: between0And1(0.2, "Base half-width of the clip below 1"),
  clipHigh: between0And1(0.2, "Base half-width of the clip above 1"),
  micro: Type.Number({ default: 0.5, minimum: 0, description: "How strongly |A| of the token scales the widths; 0 = off" }),
  microCenter: Type.Number({ default: 1, exclusiveMinimum: 0, description: "|A| that leaves the widths alone" }),
  advantageCap: Type.Number({ default: 2, exclusiveMinimum: 0, description: "Largest |A| that counts" }),
  macro: Type.Number({ default: 0.5, minimum: 0, description: "How strongly the group's reward variance scales the widths; 0 = off" }),
  macroCenter: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Normalised variance that leaves the widths alone" }),
  rewardRange: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Largest less smallest reward" }),
  widthMin: between0And1(0.05, "Smallest half-width"),
  widthMax: between0And1(0.5, "Largest half-width"),
  ...aggregationOptions,
});

/**
 * -min(r·A, clip(r, 1-εl, 1+εh)·A) with elastic, detached widths, [B, T]:
 * ε = clamp(clip·max(m, 0)·max(M, 0), widthMin, widthMax), m = 1 + micro·(min(|A|, advantageCap) - microCenter),
 * M = 1 + macro·(v - macroCenter), v = min(1, var_g(R) / (rewardRange/2)²). A reading of the abstract of ETR (2601.03723).
 */
@trustRegionGate({
  id: "etr",
  description: "Token clip whose widths grow with |A| and with the variance of the group's rewards",
  options: etrOptions,
  reads: ["logp", "oldLogp", "advantages", "rewards"],
  conventions: {
    ratioAnchor: "policy that sampled",
    bound: "elastic half-widths around 1, pessimistic minimum",
    std: "population variance of the group's rewards",
  },
})
export class EtrGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof etrOptions>) {}

  /** m, [B, T], at least 0. */
  private micro(advantages: Expr): Expr {
    const { micro, microCenter, advantageCap } = this.o;
    return advantages.abs().min(advantageCap).sub(microCenter).mul(micro).add(1).max(0);
  }

  /** M, [B, 1], at least 0. */
  private macro(context: Context): Expr {
    const { macro, macroCenter, rewardRange } = this.o;
    const { rewards } = context;
    const variance = context.groupMean(rewards.sub(context.groupMean(rewards)).square());
    const normalized = variance.div((rewardRange / 2) ** 2).min(1);
    return normalized.sub(macroCenter).mul(macro).add(1).max(0);
  }

  terms(context: Context): Term {
    const { ratio, advantages } = context;
    const { clipLow, clipHigh, widthMin, widthMax } = this.o;
    const [micro, macro] = [this.micro(advantages), this.macro(context)];
    const scale = micro.mul(macro);
    const widthLow = scale.mul(clipLow).clip(widthMin, widthMax);
    const widthHigh = scale.mul(clipHigh).clip(widthMin, widthMax);
    const bounds = { low: widthLow.neg().add(1), high: widthHigh.add(1) };
    const mean = (value: Expr) => ({ value, aggregation: "token-mean" }) as const;
    return {
      value: boundedSurrogate(ratio, advantages, bounds),
      aggregation: aggregationOf(this.o),
      observe: {
        ...boundFractions(ratio, advantages, bounds),
        micro: mean(micro),
        macro: mean(macro),
        widthLow: mean(widthLow),
        widthHigh: mean(widthHigh),
      },
      perToken: { widthLow, widthHigh },
    };
  }
}
