import { type Context, options, type Regularizer, regularizer, type Static, type Term, Type } from "@proximal/core";

export const localOptions = Type.Object({
  localCoef: Type.Number({ default: 0.001, minimum: 0, description: "λ_l: weight of the local term; above 0.01 it collapses" }),
});

/**
 * L = λ_l/Q · Σ_i w_i·mean_t(ρ·logp), ρ = exp(logp - oldLogp), Q = groups of the update: an importance-sampled entropy of the
 * weighted right responses. Gradient through ρ as well: λ_l·w_i·ρ·(logp + 1)/(Q·T_i). DSDR (2602.19895), eqs. 13–16.
 */
@regularizer({
  id: "dsdr",
  description: "Raises the entropy of right responses, by their share of the group's diversity",
  options: localOptions,
  reads: ["logp", "oldLogp", "localWeights"],
  conventions: { ratioAnchor: "policy that sampled", aggregation: "token mean of each row, summed, divided by all groups" },
})
export class LocalEntropy implements Regularizer {
  constructor(@options() private readonly o: Static<typeof localOptions>) {}

  terms(context: Context): Term {
    const { ratio, logp } = context;
    const weighted = ratio.mul(logp).mul(context.column("localWeights"));
    return {
      value: weighted.mul(this.o.localCoef),
      aggregation: "otm",
      observe: { localEntropy: { value: weighted.neg(), aggregation: "otm" } },
    };
  }
}
