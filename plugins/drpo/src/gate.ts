import {
  type Context,
  type Expr,
  options,
  type RunFacts,
  ratioOf,
  runFacts,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";
import { decoupledContrast } from "./contrast.js";

export const drpoOptions = Type.Object({
  tau: Type.Number({ default: 10, exclusiveMinimum: 0, description: "Temperature of the log-mean-exp over wrong responses" }),
  lengthTemperature: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: 0.1,
    description: "λ: how little length matters among correct responses; null = not at all",
  }),
  maxLength: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: "Tokens at which the length reward is 0; the run's longest response when left out" }),
  ),
  klTarget: Type.Number({ default: 1e-4, minimum: 0, description: "δ: divergence from the policy that sampled that costs nothing, nats" }),
  klCoef: Type.Number({ default: 1e3, minimum: 0, description: "β: weight of the squared excess" }),
  klEstimator: Type.Enum(["k1", "k3"], { default: "k1", description: "k1 = oldLogp - logp; k3 adds ratio - 1" }),
});

/**
 * A whole policy loss: L = -J + (β/2)·max(0, K - δ)². J sets the correct responses of a prompt, the short ones first, against
 * its wrong ones; K is the token mean of oldLogp - logp. No advantage, no ratio, no clip. DRPO (2510.04474).
 */
@trustRegionGate({
  id: "drpo",
  description: "Correct responses, weighted by brevity among themselves alone, against wrong ones, with a KL hinge",
  options: drpoOptions,
  reads: ["logp", "oldLogp", "rewards"],
  conventions: {
    ratioAnchor: "policy that sampled, in the KL hinge alone",
    bound: "squared excess of KL(old || policy) over a target",
    aggregation: "mean over all prompts of the update",
  },
})
export class DrpoGate implements TrustRegionGate {
  private readonly maxLength: number;

  constructor(
    @options() private readonly o: Static<typeof drpoOptions>,
    @runFacts() { maxTokens }: RunFacts,
  ) {
    this.maxLength = o.maxLength ?? maxTokens;
  }

  terms(context: Context): readonly Term[] {
    const { klTarget, klCoef } = this.o;
    const { value, weights, valid } = decoupledContrast(context, { ...this.o, maxLength: this.maxLength });
    const kl = this.divergence(context);
    return [
      {
        name: "contrast",
        value: value.neg(),
        aggregation: "scalar",
        observe: {
          validFraction: { value: valid, aggregation: "row-mean" },
        },
        perToken: { weight: weights },
      },
      {
        name: "hinge",
        value: kl
          .sub(klTarget)
          .max(0)
          .square()
          .mul(klCoef / 2),
        aggregation: "scalar",
        observe: { kl },
      },
    ];
  }

  /** [1, 1] estimate of KL(old || policy) over all tokens, nats; k1 may be negative. */
  private divergence(context: Context): Expr {
    const k1 = context.logRatio.neg();
    return context.batchMean(this.o.klEstimator === "k1" ? k1 : k1.add(ratioOf(context.logRatio).sub(1)));
  }
}
