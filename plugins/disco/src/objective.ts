import {
  type Context,
  type Expr,
  klEstimate,
  type Objective,
  objective,
  options,
  type Static,
  type Term,
  Type,
  where,
} from "@proximal/core";

export const discoOptions = Type.Object({
  variant: Type.Enum(["dro", "basic"], {
    default: "dro",
    description: "Positives against the hardest negatives, softly, or against their mean",
  }),
  score: Type.Enum(["logLikelihood", "likelihoodRatio"], { default: "logLikelihood", description: "Token mean of logp, or of the ratio" }),
  tau: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: "Temperature of dro; 10 for logLikelihood, 1 for likelihoodRatio when left out" }),
  ),
  beta: Type.Number({ default: 1000, exclusiveMinimum: 0, description: "Weight of the squared excess of the KL" }),
  delta: Type.Number({ default: 1e-4, exclusiveMinimum: 0, description: "KL budget, nats a token" }),
  klEstimator: Type.Enum(["k3", "k1"], { default: "k3", description: "k3 = r - 1 - ln r; k1 = -ln r" }),
  positiveThreshold: Type.Number({ default: 1, description: "A response is positive when its reward is at least this" }),
});

/**
 * L = -(1/Q) Σ_q J_q + (β/2)·max(K - δ, 0)², Q groups, K the token mean of KL(old || policy).
 * J_q = mean_P S - τ·ln mean_N exp(S/τ) (dro) or mean_P S - mean_N S (basic); a group without both classes has J_q = 0.
 * S [B, 1]: token mean of logp or of the ratio. DisCO (2505.12366).
 */
@objective({
  id: "disco",
  description: "Right responses scored above wrong ones in each group, under a hinge on the batch's KL to the sampling policy",
  options: discoOptions,
  reads: ["logp", "oldLogp", "rewards"],
  conventions: { ratioAnchor: "policy that sampled", bound: "squared hinge on the batch's KL, no clip", kl: "KL(old || policy)" },
})
export class DiscoObjective implements Objective {
  constructor(@options() private readonly o: Static<typeof discoOptions>) {}

  terms(context: Context): readonly Term[] {
    const { logp, oldLogp, ratio, rewards, rowMask, groupSize, groups } = context;
    const { variant, score, beta, delta, klEstimator, positiveThreshold } = this.o;
    const S = context.sequenceMean(score === "logLikelihood" ? logp : ratio);
    const positive = members(context, rewards.greaterEqual(positiveThreshold).and(rowMask));
    const negative = members(context, rewards.less(positiveThreshold).and(rowMask));
    const rival = variant === "basic" ? negative.mean(S) : negative.softMax(S, this.o.tau ?? (score === "logLikelihood" ? 10 : 1));
    const twoClasses = positive.present.and(negative.present);
    // Every row of a group holds the group's value: 1/groupSize of each makes one.
    const share = where(twoClasses, 1, 0).div(groupSize.max(1));
    const gap = context.batchSum(where(twoClasses, positive.mean(S).sub(rival), 0).mul(share)).div(groups);

    const kl = context.batchMean(klEstimate(klEstimator, oldLogp, logp));
    const excess = kl.sub(delta).max(0);
    return [
      {
        name: "discrimination",
        value: gap.neg(),
        aggregation: "scalar",
        observe: { twoClassFraction: context.batchSum(share).div(groups) },
      },
      { name: "constraint", value: excess.square().mul(beta / 2), aggregation: "scalar", observe: { kl } },
    ];
  }
}

/** Statistics over the rows of each group for which `among` [B, 1] holds, each [B, 1]; 0 in groups without such rows. */
function members(context: Context, among: Expr) {
  const count = context.groupSum(among.cast("float"));
  const present = count.greater(0);
  const mean = (x: Expr): Expr => context.groupSum(where(among, x, 0)).div(count.max(1));
  /** τ·ln mean exp(x/τ), stable. */
  const softMax = (x: Expr, tau: number): Expr => {
    const peak = where(present, context.groupMax(x, among), 0).stopGradient();
    const height = where(among, x.sub(peak).div(tau), 0).exp();
    return where(present, mean(height), 1).log().mul(tau).add(peak);
  };
  return { present, mean, softMax };
}
