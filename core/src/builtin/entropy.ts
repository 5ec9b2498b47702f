import { type Static, Type } from "typebox";
import { options, regularizer } from "../extension/component.js";
import type { Context } from "../extension/context.js";
import type { Regularizer, Term } from "../extension/points.js";
import { aggregationOf, aggregationOptions } from "./aggregation-options.js";

export const entropyOptions = Type.Object(aggregationOptions);

/** Entropy bonus: -H per token, so that a positive coefficient raises the entropy. Williams & Peng 1991. */
@regularizer({ id: "entropy", description: "Bonus on the entropy of the policy", options: entropyOptions, reads: ["entropy"] })
export class EntropyRegularizer implements Regularizer {
  constructor(@options() private readonly o: Static<typeof entropyOptions>) {}

  terms({ entropy }: Context): Term {
    return {
      value: entropy.neg(),
      aggregation: aggregationOf(this.o),
      observe: { entropy: { value: entropy, aggregation: "token-mean" } },
    };
  }
}
