import { type Static, Type } from "typebox";
import { options, trustRegionGate } from "../extension/component.js";
import type { Context } from "../extension/context.js";
import type { Aggregation, Observation, Term, TrustRegionGate } from "../extension/points.js";
import { type Expr, min, type Operand, where } from "../tensor/index.js";
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

/** Half-widths; null = open. */
export interface ClipBounds {
  clipLow: number | null;
  clipHigh: number | null;
  dualClip?: number | null;
}

/** Absolute bounds of a ratio, by number or by expression; null = open. */
export interface RatioBounds {
  low: Operand | null;
  high: Operand | null;
  /** Where A < 0: loss at most -dualClip·A. */
  dualClip?: number | null;
}

/**
 * -min(r·A, clip(r, low, high)·A); with a dual clip, for A < 0, at most -c·A. Broadcasts.
 * Schulman et al. 2017 (1707.06347), eq. 7; dual clip: Ye et al. 2020 (1912.09729), eq. 5.
 */
export function boundedSurrogate(ratio: Expr, advantages: Expr, { low, high, dualClip = null }: RatioBounds): Expr {
  const loss = min(ratio.mul(advantages), ratio.clip(low, high).mul(advantages)).neg();
  if (dualClip === null) return loss;
  return where(advantages.less(0), min(loss, advantages.mul(-dualClip)), loss);
}

/** 1 where the bounds remove the gradient, float: above for a positive, below for a negative advantage. */
export function outOfBounds(ratio: Expr, advantages: Expr, { low, high }: RatioBounds): { high: Expr; low: Expr } {
  const above = high === null ? ratio.less(0) : ratio.greater(high).and(advantages.greater(0));
  const below = low === null ? ratio.less(0) : ratio.less(low).and(advantages.less(0));
  return { high: above.cast("float"), low: below.cast("float") };
}

/** Share of values whose gradient the bounds remove, by sign of the advantage; of tokens unless `aggregation` says otherwise. */
export function boundFractions(
  ratio: Expr,
  advantages: Expr,
  bounds: RatioBounds,
  aggregation: Aggregation = "token-mean",
): Record<"clipFractionHigh" | "clipFractionLow", Observation> {
  const { high, low } = outOfBounds(ratio, advantages, bounds);
  return {
    clipFractionHigh: { value: high, aggregation },
    clipFractionLow: { value: low, aggregation },
  };
}

/** Half-widths around 1 as absolute bounds. */
export const boundsAround1 = ({ clipLow, clipHigh, dualClip }: ClipBounds) => ({
  low: clipLow === null ? null : 1 - clipLow,
  high: clipHigh === null ? null : 1 + clipHigh,
  dualClip,
});

/** The surrogate of PPO with half-widths around 1. Broadcasts. */
export const clippedSurrogate = (ratio: Expr, advantages: Expr, bounds: ClipBounds): Expr =>
  boundedSurrogate(ratio, advantages, boundsAround1(bounds));

/** 1 where the clip removes the gradient, as `outOfBounds`. */
export const clippedTokens = (ratio: Expr, advantages: Expr, bounds: ClipBounds): { high: Expr; low: Expr } =>
  outOfBounds(ratio, advantages, boundsAround1(bounds));

/** Share of tokens (rows under another `aggregation`) whose gradient the clip removes, by sign of the advantage. */
export const clipFractions = (ratio: Expr, advantages: Expr, bounds: ClipBounds, aggregation?: Aggregation) =>
  boundFractions(ratio, advantages, boundsAround1(bounds), aggregation);

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
