import {
  type Context,
  options,
  type RunFacts,
  runFacts,
  type State,
  type Static,
  type StepExpressions,
  type StepValues,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";
import { KL_FORMS, type KlForm, mirrorDescent, proximity } from "./proximity.js";

const mdpoOptions = Type.Object({
  stepSize: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Mirror-descent step t at the start; large = little pull back" }),
  stepSizeSchedule: Type.Enum(["linear", "constant"], {
    default: "linear",
    description: "linear: to 0 over the run, at least minStepSize",
  }),
  minStepSize: Type.Number({ default: 0.05, exclusiveMinimum: 0, description: "Smallest step of the linear schedule" }),
  klForm: Type.Enum(KL_FORMS, { default: "weightedShifted", description: "Estimate of the divergence at the sampled tokens" }),
  tsallisQ: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 2, description: "q of the logq form" }),
});

type MdpoOptions = Static<typeof mdpoOptions>;

/** t_k = stepSize·(1 - k/K), at least minStepSize; constant: stepSize. MDPO (2005.09814). */
export const stepSizeAt = (step: number, totalSteps: number, { stepSize, stepSizeSchedule, minStepSize }: MdpoOptions): number =>
  stepSizeSchedule === "constant" ? stepSize : Math.max(minStepSize, stepSize * (1 - step / totalSteps));

/** -r·A + KL(π || π_k) / t_k a token, [B, T]; π_k is the policy that sampled. MDPO (2005.09814), on-policy. */
@trustRegionGate({
  id: "mdpo",
  description: "Policy gradient on the ratio with a divergence to the old policy in place of a clip",
  options: mdpoOptions,
  conventions: { ratioAnchor: "policy that sampled", bound: "none: divergence to the old policy, weight 1 / t", aggregation: "token mean" },
})
export class MirrorDescentGate implements TrustRegionGate {
  constructor(
    @options() private readonly o: MdpoOptions,
    @runFacts() private readonly run: RunFacts,
  ) {}

  initialState(): State {
    return { version: 1 };
  }

  stepValues(_state: State, { step }: { step: number }): StepValues {
    return { inverseStep: 1 / stepSizeAt(step, this.run.totalSteps, this.o) };
  }

  terms({ logp, oldLogp, ratio, advantages }: Context, { inverseStep }: StepExpressions): Term {
    const kl = proximity(this.o.klForm as KlForm, logp, oldLogp, this.o.tsallisQ);
    return {
      value: mirrorDescent(ratio, advantages, kl, inverseStep!),
      aggregation: "token-mean",
      observe: {
        proximity: { value: kl, aggregation: "token-mean" },
        klWeight: { value: inverseStep!, aggregation: "token-mean" },
      },
    };
  }
}
