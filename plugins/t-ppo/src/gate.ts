import {
  type Context,
  clippedSurrogate,
  clippedTokens,
  type Expr,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
  where,
} from "@proximal/core";
import { count } from "./window.js";

export const tPpoGateOptions = Type.Object({
  clipLow: Type.Number({ default: 0.2, exclusiveMinimum: 0, description: "Half-width of the clip below 1" }),
  clipHigh: Type.Number({ default: 0.28, exclusiveMinimum: 0, description: "Half-width of the clip above 1" }),
});

/**
 * Mean over the tokens of the present window of max(-A·r, -A·clip(r, 1 - εl, 1 + εh)); r against each token's own sampling policy.
 * T-PPO (2506.15050).
 */
@trustRegionGate({
  id: "t-ppo",
  description: "PPO's clipped surrogate on the tokens of the present window",
  options: tPpoGateOptions,
  reads: ["logp", "oldLogp", "advantages", "policyMask"],
  conventions: {
    ratioAnchor: "policy that sampled the token",
    bound: "half-widths around 1, pessimistic minimum",
    aggregation: "mean over the tokens of the present window",
  },
})
export class WindowGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof tPpoGateOptions>) {}

  terms(context: Context): Term {
    const { ratio, advantages } = context;
    const trained = context.column("policyMask");
    const tokens = context.updateNumber("policy tokens", (update) => Math.max(1, count(update.f64("policyMask"))));
    const meanOf = (x: Expr): { value: Expr; aggregation: "token-sum" } => ({
      value: where(trained, x, 0).div(tokens),
      aggregation: "token-sum",
    });
    const bounds = { ...this.o, dualClip: null };
    const clipped = clippedTokens(ratio, advantages, bounds);
    return {
      ...meanOf(clippedSurrogate(ratio, advantages, bounds)),
      observe: { clipFractionHigh: meanOf(clipped.high), clipFractionLow: meanOf(clipped.low) },
    };
  }
}
