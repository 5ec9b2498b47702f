import { type Static, Type } from "typebox";
import { options, trustRegionGate } from "../extension/component.js";
import type { Context } from "../extension/context.js";
import type { Term, TrustRegionGate } from "../extension/points.js";
import { type Expr, min, where } from "../tensor/index.js";
import { aggregationOf, aggregationOptions } from "./aggregation-options.js";

const halfWidth = (what: string) =>
  Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: 0.2,
    description: `Half-width of the clip ${what} 1; null = no clip`,
  });

export const clipOptions = Type.Object({
  clipLow: halfWidth("below"),
  clipHigh: halfWidth("above"),
  dualClip: Type.Union([Type.Number({ exclusiveMinimum: 1 }), Type.Null()], {
    default: null,
    description: "Ceiling c of the ratio where the advantage is negative: loss at most -c·A; null = off",
  }),
  ...aggregationOptions,
});

export type ClipBounds = Pick<Static<typeof clipOptions>, "clipLow" | "clipHigh" | "dualClip">;

/**
 * Clipped surrogate: -min(r·A, clip(r, 1-εl, 1+εh)·A); with a dual clip, for A < 0, at most -c·A. Broadcasts.
 * Schulman et al. 2017 (1707.06347), eq. 7; dual clip: Ye et al. 2020 (1912.09729), eq. 5.
 */
export function clippedSurrogate(ratio: Expr, advantages: Expr, { clipLow, clipHigh, dualClip }: ClipBounds): Expr {
  const clipped = ratio.clip(clipLow === null ? null : 1 - clipLow, clipHigh === null ? null : 1 + clipHigh);
  const loss = min(ratio.mul(advantages), clipped.mul(advantages)).neg();
  if (dualClip === null) return loss;
  return where(advantages.less(0), min(loss, advantages.mul(-dualClip)), loss);
}

/** 1 where the clip removes the gradient, float: above for a positive, below for a negative advantage. */
export function clippedTokens(ratio: Expr, advantages: Expr, { clipLow, clipHigh }: ClipBounds): { high: Expr; low: Expr } {
  const high = clipHigh === null ? ratio.less(0) : ratio.greater(1 + clipHigh).and(advantages.greater(0));
  const low = clipLow === null ? ratio.less(0) : ratio.less(1 - clipLow).and(advantages.less(0));
  return { high: high.cast("float"), low: low.cast("float") };
}

/** Share of tokens whose gradient the clip removes, by sign of the advantage. */
export function clipFractions(ratio: Expr, advantages: Expr, bounds: ClipBounds): Required<Term>["observe"] {
  const { high, low } = clippedTokens(ratio, advantages, bounds);
  return {
    clipFractionHigh: { value: high, aggregation: "token-mean" },
    clipFractionLow: { value: low, aggregation: "token-mean" },
  };
}

@trustRegionGate({
  id: "clip",
  description: "PPO's clipped surrogate on the token ratio, with an optional dual clip",
  options: clipOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "half-widths around 1, pessimistic minimum" },
})
export class ClipGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof clipOptions>) {}

  terms({ ratio, advantages }: Context): Term {
    return {
      value: clippedSurrogate(ratio, advantages, this.o),
      aggregation: aggregationOf(this.o),
      observe: clipFractions(ratio, advantages, this.o),
    };
  }
}
