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

const budget = (side: string, fallback: number) =>
  Type.Number({ default: fallback, exclusiveMinimum: 0, exclusiveMaximum: 1, description: `ε of the constraint for ratios ${side} 1` });

export const dcpoGateOptions = Type.Object({
  clipLow: budget("below", 0.16),
  clipHigh: budget("above", 0.2),
  ratioHigh: Type.Number({ default: 10, exclusiveMinimum: 1, description: "Largest ratio, also the ceiling where A < 0" }),
  ...aggregationOptions,
});

/** Below e^-60 a probability leaves both bounds at their ends, and 1/q still fits a float32. */
const LOGP_FLOOR = -60;

/** Ends of the ratios r with |(r - 1)·r·q| <= ε at the old probability q, each [B, T]. */
function dynamicBounds(oldLogp: Expr, { clipLow, clipHigh, ratioHigh }: Static<typeof dcpoGateOptions>): { low: Expr; high: Expr } {
  const inverse = oldLogp.max(LOGP_FLOOR).neg().exp();
  const end = (discriminant: Expr) => discriminant.max(0).sqrt().mul(0.5).add(0.5);
  return {
    low: end(inverse.mul(-4 * clipLow).add(1)),
    high: end(inverse.mul(4 * clipHigh).add(1)).min(ratioHigh),
  };
}

/**
 * -min(r·A, clip(r, low(q), high(q))·A), at most -ratioHigh·A where A < 0, [B, T]; q = exp(oldLogp),
 * low = ½ + ½·sqrt(max(1 - 4εl/q, 0)), high = min(½ + ½·sqrt(1 + 4εh/q), ratioHigh). DCPO (2509.02333).
 */
@trustRegionGate({
  id: "dcpo",
  description: "Token clip whose bounds widen as the old probability of the token falls, with a dual clip",
  options: dcpoGateOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "absolute bounds by the old probability, pessimistic minimum" },
})
export class DcpoGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof dcpoGateOptions>) {}

  terms({ ratio, oldLogp, advantages }: Context): Term {
    const { low, high } = dynamicBounds(oldLogp, this.o);
    return {
      value: boundedSurrogate(ratio, advantages, { low, high, dualClip: this.o.ratioHigh }),
      aggregation: aggregationOf(this.o),
      observe: {
        ...boundFractions(ratio, advantages, { low, high }),
        ratioLow: { value: low, aggregation: "token-mean" },
        ratioHigh: { value: high, aggregation: "token-mean" },
      },
      perToken: { ratioLow: low, ratioHigh: high },
    };
  }
}
