import {
  aggregationOf,
  aggregationOptions,
  type Context,
  options,
  type State,
  type Static,
  type StepExpressions,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
  type UpdateOutcome,
} from "@proximal/core";

export const r2vpoOptions = Type.Object({
  level: Type.Enum(["token", "sequence"], {
    default: "token",
    description: "Ratio of each token, or one a response from its mean log-ratio; responses then count equally, whatever the aggregation",
  }),
  delta: Type.Number({ default: 0.04, exclusiveMinimum: 0, description: "Budget of the ratio variance" }),
  lambdaInit: Type.Number({ default: 0.04, minimum: 0, description: "First value of the multiplier" }),
  dualStep: Type.Number({ default: 0.1, minimum: 0, description: "Step of the dual ascent; 0 = fixed multiplier" }),
  lambdaMax: Type.Number({ default: 10, exclusiveMinimum: 0, description: "Ceiling of the multiplier" }),
  ...aggregationOptions,
});

export interface DualState extends State {
  /** Multiplier λ of the variance constraint. */
  lambda: number;
}

/**
 * L = -agg(r·A) + λ·(agg((r - 1)²) - δ), r [B, T] (sequence level [B, 1]), λ constant in the gradient.
 * dL/dlogp = -r·(A - 2λ(r - 1)): the push fades as the ratio leaves 1 and is never cut off.
 * Dual ascent after the update: λ ← clip(λ + dualStep·(agg((r - 1)²) - δ), 0, λmax).
 * Ratio-Variance Regularized Policy Optimization (2601.03320).
 */
@trustRegionGate({
  id: "r2vpo",
  description: "Unclipped surrogate under a budget for the ratio's second moment about 1, with a learned multiplier",
  options: r2vpoOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "soft, constraint on the batch mean of (r - 1)²" },
})
export class R2vpoGate implements TrustRegionGate<DualState> {
  constructor(@options() private readonly o: Static<typeof r2vpoOptions>) {}

  initialState(): DualState {
    return { version: 1, lambda: this.o.lambdaInit };
  }

  stepValues({ lambda }: DualState) {
    return { lambda };
  }

  terms(context: Context, { lambda }: StepExpressions): readonly Term[] {
    const sequence = this.o.level === "sequence";
    const aggregation = sequence ? "seq-mean-token-mean" : aggregationOf(this.o);
    const ratio = sequence ? context.sequenceRatio : context.ratio;
    const advantages = sequence ? context.sequenceMean(context.advantages) : context.advantages;
    const variance = ratio.sub(1).square();
    return [
      { name: "surrogate", value: ratio.mul(advantages).neg(), aggregation },
      {
        name: "penalty",
        value: variance.mul(lambda!),
        aggregation,
        observe: { ratioVariance: { value: variance, aggregation }, lambda: { value: lambda!, aggregation: "row-mean" } },
      },
      // A mean over rows of a constant: the constant itself, also over micro-batches.
      { name: "budget", value: lambda!.mul(-this.o.delta), aggregation: "row-mean" },
    ];
  }

  afterUpdate({ observed, state }: UpdateOutcome<DualState>): DualState {
    const [variance] = observed.ratioVariance ?? [];
    if (variance === undefined) return state;
    const { dualStep, delta, lambdaMax } = this.o;
    return { ...state, lambda: Math.min(Math.max(state.lambda + dualStep * (variance - delta), 0), lambdaMax) };
  }
}
