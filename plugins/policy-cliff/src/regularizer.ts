import { type Context, options, type Regularizer, regularizer, type Static, type Term, Type } from "@proximal/core";

export const cliffOptions = Type.Object({
  alpha: Type.Number({ default: 0.01, exclusiveMinimum: 0, description: "Temperature: weight of the entropy" }),
});

/** -α·H(π(·|s_t)), mean over tokens: the entropy bonus that makes the optimal policy continuous in the reward. (2507.20150) */
@regularizer({
  id: "policy-cliff",
  description: "Entropy bonus whose weight is the temperature of the stability bound",
  options: cliffOptions,
  reads: ["entropy"],
  conventions: { aggregation: "token-mean" },
})
export class CliffEntropy implements Regularizer {
  constructor(@options() private readonly o: Static<typeof cliffOptions>) {}

  terms({ entropy }: Context): Term {
    return {
      value: entropy.mul(-this.o.alpha),
      aggregation: "token-mean",
      observe: { entropy: { value: entropy, aggregation: "token-mean" } },
    };
  }
}
