import {
  type Context,
  type Expr,
  type Observation,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";
import { apcRatio } from "./apc.js";
import { domainLogRatio } from "./domain.js";
import { fiberLogRatio } from "./fiber.js";

const positive = (description: string, value: number) => Type.Number({ default: value, exclusiveMinimum: 0, description });

export const fiberOptions = Type.Object({
  variant: Type.Enum(["fiberpo", "apc", "domain"], {
    default: "fiberpo",
    description: "Signed channels with token fibres, aggregate proximity control, or a hierarchy up to the domain",
  }),
  budgetPos: positive("fiberpo: budget of a response's mean rise, nats a token", 0.11),
  budgetNeg: positive("fiberpo: budget of its mean fall", 0.09),
  logClip: positive("fiberpo, domain: half-width of the token's own log-ratio", 0.05),
  delta: positive("apc: budget of |r - 1|, mean over the response", 0.2),
  logClipDomain: positive("domain: half-width of the domain's mean log-ratio", 0.1),
  logClipGroup: positive("domain: half-width of the group's mean against its domain", 0.15),
  logClipTrajectory: positive("domain: half-width of the response's mean against its group", 0.2),
});

/**
 * -G·A with a gated ratio G, [B, T]; no minimum with the sign of the advantage. The full gradient runs through all aggregates;
 * where nothing saturates, G = r. Fibration Policy Optimization (2603.08239).
 */
@trustRegionGate({
  id: "fiberpo",
  description: "Splits the ratio into a gated weight of the response and clipped residuals of its tokens",
  options: fiberOptions,
  reads: ["logp", "oldLogp", "advantages", { name: "domain", optional: true }],
  conventions: {
    ratioAnchor: "policy that sampled",
    bound: "budgets of whole responses, with rollback beyond them; no pessimistic minimum",
    aggregation: "seq-mean-token-mean (apc: token-mean)",
  },
})
export class FiberGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof fiberOptions>) {}

  terms(context: Context): Term {
    switch (this.o.variant) {
      case "apc":
        return this.apc(context);
      case "domain":
        return this.domain(context);
      default:
        return this.fiber(context);
    }
  }

  private fiber(context: Context): Term {
    const { log, pos, neg, clipped } = fiberLogRatio(context, this.o);
    const share = (value: Expr): Observation => ({ value, aggregation: "seq-mean-token-mean" });
    return {
      value: log.exp().mul(context.advantages).neg(),
      aggregation: "seq-mean-token-mean",
      observe: {
        gatedPos: share(pos.regime.greater(0)),
        gatedNeg: share(neg.regime.greater(0)),
        zeroed: share(pos.regime.max(neg.regime).greater(1)),
        clipFraction: { value: clipped, aggregation: "token-mean" },
      },
      perToken: { regimePos: pos.regime, regimeNeg: neg.regime },
    };
  }

  private apc(context: Context): Term {
    const { ratio, bound } = apcRatio(context, this.o.delta);
    return {
      value: ratio.mul(context.advantages).neg(),
      aggregation: "token-mean",
      observe: { clipFraction: { value: bound, aggregation: "token-mean" } },
    };
  }

  private domain(context: Context): Term {
    const { log, clipped } = domainLogRatio(context, this.o);
    return {
      value: log.exp().mul(context.advantages).neg(),
      aggregation: "seq-mean-token-mean",
      observe: { clipFraction: { value: clipped, aggregation: "token-mean" } },
    };
  }
}
