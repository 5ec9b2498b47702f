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
import { probThresholdOption, uncertainTokens } from "./uncertain.js";

const LOG_RATIO_LIMIT = 10;

export const segmentGateOptions = Type.Object({
  clipLow: Type.Number({ default: 0.2, exclusiveMinimum: 0, description: "Half-width of the clip below 1" }),
  clipHigh: Type.Number({ default: 0.2, exclusiveMinimum: 0, description: "Half-width of the clip above 1" }),
  probThreshold: probThresholdOption,
});

/**
 * Σ m·max(-A·r, -A·clip(r, 1 - εl, 1 + εh)) / Σ m over the batch, m = 1 for tokens that the sampling policy gave less than probThreshold;
 * the log-ratio is clamped to ±10. SPO (2505.23564), official code.
 */
@trustRegionGate({
  id: "spo-segment",
  description: "PPO's clipped surrogate on the tokens that the sampling policy was uncertain of",
  options: segmentGateOptions,
  conventions: {
    ratioAnchor: "policy that sampled",
    bound: "half-widths around 1, pessimistic minimum; log-ratio within ±10",
    aggregation: "mean over the uncertain tokens of the batch",
  },
})
export class SegmentGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof segmentGateOptions>) {}

  terms(context: Context): Term {
    const { probThreshold, ...widths } = this.o;
    const { advantages, oldLogp, mask } = context;
    const keep = oldLogp.exp().less(probThreshold).and(mask);
    const tokens = context.updateNumber(`tokens below ${probThreshold}`, (update) =>
      Math.max(
        1,
        uncertainTokens(update, probThreshold).reduce((n, on) => n + on, 0),
      ),
    );
    const meanOf = (x: Expr): { value: Expr; aggregation: "token-sum" } => ({
      value: where(keep, x, 0).div(tokens),
      aggregation: "token-sum",
    });
    const ratio = context.logRatio.clip(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT).exp();
    const bounds = { ...widths, dualClip: null };
    const clipped = clippedTokens(ratio, advantages, bounds);
    return {
      ...meanOf(clippedSurrogate(ratio, advantages, bounds)),
      observe: {
        keptFraction: { value: keep.cast("float"), aggregation: "token-mean" },
        clipFractionHigh: meanOf(clipped.high),
        clipFractionLow: meanOf(clipped.low),
      },
      perToken: { keep },
    };
  }
}
