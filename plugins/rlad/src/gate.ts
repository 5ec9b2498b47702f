import {
  aggregationOf,
  aggregationOptions,
  type Context,
  clipFractions,
  clippedSurrogate,
  halfWidth,
  options,
  ratioOf,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

export const rladOptions = Type.Object({
  alpha: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Weight of the old policy in the anchor; 1 = GRPO" }),
  clipLow: halfWidth("below"),
  clipHigh: halfWidth("above"),
  logRatioClamp: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: 1,
    description: "Bound of |log(policy / teacher)|, nats; null = off",
  }),
  teacherLogpClamp: Type.Number({ default: -20, exclusiveMaximum: 0, description: "Floor of the teacher's log-probability, nats" }),
  ...aggregationOptions,
});

/**
 * PPO's clipped surrogate on the ratio to a mixture of old policy and teacher, [B, T]:
 *   log r = α·(logp - oldLogp) + (1 - α)·clip(logp - teacherLogp, ±c)
 * Where c binds, no gradient runs through the teacher's part. RLAD (2602.22495); the place of c is a reading.
 */
@trustRegionGate({
  id: "rlad",
  description: "Clipped surrogate whose ratio is anchored on the old policy and on a teacher",
  options: rladOptions,
  reads: ["logp", "oldLogp", "teacherLogp", "advantages"],
  conventions: {
    ratioAnchor: "geometric mixture of the policy that sampled and a teacher",
    bound: "half-widths around 1, pessimistic minimum",
  },
})
export class RladGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof rladOptions>) {}

  terms({ logp, logRatio, teacherLogp, advantages }: Context): Term {
    const { alpha, logRatioClamp: c, teacherLogpClamp } = this.o;
    const toTeacher = logp.sub(teacherLogp.max(teacherLogpClamp));
    const ratio = ratioOf(logRatio.mul(alpha).add(toTeacher.clip(c === null ? null : -c, c).mul(1 - alpha)));
    const bounds = { ...this.o, dualClip: null };
    return {
      value: clippedSurrogate(ratio, advantages, bounds),
      aggregation: aggregationOf(this.o),
      observe: {
        ...clipFractions(ratio, advantages, bounds),
        ...(c === null ? {} : { clampFraction: { value: toTeacher.abs().greater(c), aggregation: "token-mean" as const } }),
        // Monte Carlo estimate of KL(policy || teacher), nats a token.
        teacherKl: { value: toTeacher, aggregation: "token-mean" },
      },
    };
  }
}
