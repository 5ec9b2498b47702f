import { type Batch, type Context, type Objective, objective, options, type Static, type Term, Type, where } from "@proximal/core";

export const regressionOptions = Type.Object({
  lengthNormalize: Type.Boolean({ default: false, description: "Mean log-ratio of the response instead of the sum" }),
  stdEps: Type.Number({ default: 1e-4, exclusiveMinimum: 0, description: "Added to the group's std of log-ratios, nats" }),
});

/** Responses that have a sibling. */
const compared = ({ groupRows }: Batch): number => groupRows.reduce((sum, rows) => sum + (rows.length > 1 ? rows.length : 0), 0);

/**
 * Regression of the group-normalised log-ratio on the advantage: mean over responses of groups of k >= 2 of (A_i - Â_i)²,
 *   Â_i = (ρ_i - mean_g ρ) / (std_g ρ + stdEps),  ρ_i = Σ_t (logp - oldLogp),  sample std, [B, 1]
 * The gradient runs through mean and std. No ratio is exponentiated, nothing is clipped. Reg-GRPO (2506.07464).
 */
@objective({
  id: "reg-grpo",
  description: "Squared difference between the advantage and the log-ratio normalised over the group",
  options: regressionOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: {
    ratioAnchor: "policy that sampled",
    bound: "none but the KL term",
    std: "sample, of the log-ratios too",
    groupOfOne: "left out",
    aggregation: "mean over the responses that have siblings",
  },
})
export class RegressionObjective implements Objective {
  constructor(@options() private readonly o: Static<typeof regressionOptions>) {}

  terms(context: Context): Term {
    const { logRatio, groupSize } = context;
    const rho = this.o.lengthNormalize ? context.sequenceMean(logRatio) : context.sequenceSum(logRatio);
    const centred = rho.sub(context.groupMean(rho));
    const variance = context.groupSum(centred.square()).div(groupSize.sub(1).max(1));
    const spread = variance.greater(0);
    // The slope of the root is taken as 0 at 0.
    const std = where(spread, where(spread, variance, 1).sqrt(), 0);
    const predicted = centred.div(std.add(this.o.stdEps));
    const error = context.sequenceMean(context.advantages).sub(predicted).square();
    const count = context.updateNumber("responses with siblings", compared).max(1);
    return {
      value: context.batchSum(where(groupSize.greater(1), error, 0)).div(count),
      aggregation: "scalar",
      observe: { logRatioStd: { value: std, aggregation: "row-mean" } },
    };
  }
}
