import {
  type Context,
  clipFractions,
  clipOptions,
  clippedSurrogate,
  concat,
  type Expr,
  options,
  type RunFacts,
  runFacts,
  type Static,
  type StepExpressions,
  type StepValues,
  scatterAdd,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
  type UpdateOutcome,
  where,
} from "@proximal/core";
import { shifts } from "./curvature.js";
import { adamDirection, advance, type MomentState, momentValues, noMoments } from "./moments.js";

const { clipLow, clipHigh } = clipOptions.properties;
const beta = (default_: number, what: string) =>
  Type.Number({ default: default_, minimum: 0, exclusiveMaximum: 1, description: `Decay of the ${what} moment, as of the optimizer` });

export const capoOptions = Type.Object({
  tauF: Type.Number({ default: 1e-4, exclusiveMinimum: 0, description: "Bound of the policy shift m_F" }),
  tauH: Type.Number({ default: 0.01, exclusiveMinimum: 0, description: "Bound of the objective shift m_H" }),
  symmetric: Type.Boolean({ default: true, description: "|m_H| < tauH; otherwise 0 <= m_H < tauH" }),
  optimizer: Type.Enum(["adam", "sgd"], { default: "adam", description: "Step model: direction of the update" }),
  beta1: beta(0.9, "first"),
  beta2: beta(0.999, "second"),
  adamEpsilon: Type.Number({ default: 1e-8, exclusiveMinimum: 0, description: "Added to the root of the second moment" }),
  topK: Type.Integer({ default: 50, minimum: 2, description: "Candidate tokens that stand for the distribution" }),
  clipLow,
  clipHigh,
});

/**
 * Clipped surrogate on the tokens for which one optimizer step is predicted to move objective and policy little:
 * keep iff m_F < tauF and |m_H| < tauH. Mean over a response's kept tokens, then over all responses. The prediction carries
 * no gradient. Stabilizing Policy Gradients for Sample-Efficient Reinforcement Learning in LLM Reasoning (2510.00819).
 */
@trustRegionGate({
  id: "capo",
  description: "Drops tokens whose predicted shift of objective or policy is too large, clipped surrogate on the rest",
  options: capoOptions,
  reads: ["logp", "oldLogp", "advantages", "tokens", "hidden", "candidateProbs", "candidateTokens"],
  conventions: {
    ratioAnchor: "policy that sampled",
    bound: "half-widths around 1, and bounds on predicted shifts",
    aggregation: "mean over the kept tokens of a response, then over all responses",
  },
})
export class CapoGate implements TrustRegionGate<MomentState> {
  /** Rows of the output layer that the moments stand for: [V, H], or nothing without moments. */
  private readonly rows: readonly [V: number, H: number];

  constructor(
    @options() private readonly o: Static<typeof capoOptions>,
    @runFacts() { vocabularySize, hiddenSize }: RunFacts,
  ) {
    this.rows = o.optimizer === "adam" ? [vocabularySize, hiddenSize] : [0, 0];
  }

  initialState(): MomentState {
    return noMoments(this.rows[0] * this.rows[1]);
  }

  stepValues(state: MomentState, { learningRate }: { learningRate: number }): StepValues {
    return { learningRate, ...(this.o.optimizer === "adam" ? momentValues(state, this.rows, this.o) : {}) };
  }

  terms(context: Context, stepValues: StepExpressions): Term {
    const { ratio, advantages, mask } = context;
    const { probs, tokens } = candidates(context, this.o.topK);
    const v = tokens.equal(context.tokens.expandDims(-1)).cast("float").sub(probs);
    const h = context.hidden.stopGradient();
    // Gradient of the output layer's rows, A·v·hᵀ [B, T, K, H].
    const G = advantages.expandDims(-1).mul(v).expandDims(-1).mul(h.expandDims(2));
    const D = this.o.optimizer === "adam" ? adamDirection(G, tokens, stepValues, this.o) : G;
    const u = D.mul(h.expandDims(2)).sum(-1);
    const { objective, policy } = shifts(v, u, probs, advantages, stepValues.learningRate!);

    const { tauF, tauH, symmetric } = this.o;
    const floor = symmetric ? objective.greater(-tauH) : objective.greaterEqual(0);
    const keep = policy.less(tauF).and(objective.less(tauH)).and(floor).and(mask);
    const kept = keep.cast("float");
    const bounds = { clipLow: this.o.clipLow, clipHigh: this.o.clipHigh, dualClip: null };
    const loss = where(keep, clippedSurrogate(ratio, advantages, bounds), 0);
    const rowGradient = () => scatterAdd(tokens, where(keep.expandDims(-1).expandDims(-1), G, 0), 0, this.rows[0]);
    return {
      value: context.sequenceSum(loss).div(context.sequenceSum(kept).max(1)),
      aggregation: "row-mean",
      observe: {
        keptFraction: { value: kept, aggregation: "token-mean" },
        policyShift: { value: policy, aggregation: "token-mean" },
        objectiveShift: { value: objective, aggregation: "token-mean" },
        ...clipFractions(ratio, advantages.mul(kept), bounds),
        ...(this.o.optimizer === "adam" ? { rowGradient: rowGradient(), keptTokens: kept.sum([0, 1], true) } : {}),
      },
      perToken: { mH: objective, mF: policy, keep },
    };
  }

  /** Moments follow the mean gradient of the output layer over the kept tokens. */
  afterUpdate({ observed: { rowGradient, keptTokens }, state }: UpdateOutcome<MomentState>): MomentState {
    if (rowGradient === undefined || keptTokens === undefined) return state;
    const count = Math.max(keptTokens[0]!, 1);
    return advance(
      state,
      rowGradient.map((x) => x / count),
      this.o,
    );
  }
}

/** The K likeliest tokens; a sampled token that is not among them takes the place of the last. */
function candidates(context: Context, count: number): { probs: Expr; tokens: Expr } {
  const { probs, tokens } = context.candidates(count);
  const sampled = context.tokens.expandDims(-1);
  const isMissing = tokens.equal(sampled).cast("float").sum(-1, true).equal(0);
  const withSampled = (all: Expr, own: Expr): Expr =>
    concat([all.slice(null, null, [0, -1]), where(isMissing, own, all.slice(null, null, [-1, null]))], 2);
  return { probs: withSampled(probs, context.logp.stopGradient().exp().expandDims(-1)), tokens: withSampled(tokens, sampled) };
}
