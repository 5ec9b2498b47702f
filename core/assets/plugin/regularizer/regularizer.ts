import { type Context, options, type Regularizer, regularizer, type Static, type Term, Type } from "@proximal/core";

const regularizerOptions = Type.Object({
  margin: Type.Number({ default: 0, minimum: 0, description: "Log-ratio that is not penalised, nats" }),
});

/** max(|logp - oldLogp| - margin, 0)² / 2, [B, T]: with margin 0 the estimator k2 of the KL (Schulman 2020, "Approximating KL"). */
@regularizer({
  id: "my-slug",
  description: "Half the squared log-ratio to the policy that sampled, beyond a margin",
  options: regularizerOptions,
  reads: ["logp", "oldLogp"],
  conventions: { ratioAnchor: "policy that sampled", kl: "k2" },
})
export class MySlugRegularizer implements Regularizer {
  constructor(@options() private readonly o: Static<typeof regularizerOptions>) {}

  terms({ logRatio }: Context): Term {
    const beyond = logRatio.abs().sub(this.o.margin).max(0);
    return {
      value: beyond.square().mul(0.5),
      observe: { logRatio: { value: logRatio.abs(), aggregation: "token-mean" } },
    };
  }
}
