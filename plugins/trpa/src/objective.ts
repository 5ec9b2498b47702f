import {
  type Batch,
  type Context,
  type Expr,
  klEstimate,
  lossMask,
  type Objective,
  objective,
  options,
  type Static,
  type Term,
  Type,
  where,
} from "@proximal/core";

export const trpaOptions = Type.Object({
  beta: Type.Number({ default: 0.1, exclusiveMinimum: 0, description: "Preference temperature" }),
  anisotropy: Type.Number({ default: 2.5, minimum: 1, description: "Factor κ of pairs whose winner is at level 1" }),
  klCoef: Type.Number({ default: 0.001, minimum: 0, description: "Weight of the divergence from the policy that sampled" }),
  sqrtKl: Type.Boolean({ default: false, description: "Penalise sqrt(K + 1/4) instead of K" }),
});

const LEVEL = { name: "preferenceLevel", at: "row", dtype: "i32" } as const;

/** Responses with tokens, by group. */
function groupsOf(update: Batch): number[][] {
  const mask = lossMask(update);
  const isFilled = (row: number) => mask.subarray(update.offsets[row], update.offsets[row + 1]).includes(1);
  return update.groupRows.map((rows) => [...rows].filter(isFilled));
}

/** Pairs of responses of one group at different levels. */
function pairsIn(update: Batch): number {
  const levels = update.f64(LEVEL.name);
  const better = (rows: number[]) => rows.flatMap((i) => rows.filter((j) => levels[i]! < levels[j]!));
  return groupsOf(update).reduce((sum, rows) => sum + better(rows).length, 0);
}

/**
 * L = mean over all pairs (i better than j) of the update of -ln σ(κ·β·(ρ_i - ρ_j)) + klCoef·K,
 *   ρ_i = mean_t (logp - refLogp) [B, 1],  K = token mean of exp(d) - d - 1, d = oldLogp - logp.
 * Without any pair the first term is the mean over responses of -ln σ(±ρ_i), + at level 1. TRPA (2504.04524).
 */
@objective({
  id: "trpa",
  description: "Preferences between the responses of a group, by level, with a trust region around the policy that sampled",
  options: trpaOptions,
  reads: ["logp", "oldLogp", "refLogp", LEVEL],
  conventions: {
    ratioAnchor: "reference policy in the preference, policy that sampled in the KL term",
    bound: "KL term alone",
    groupOfOne: "no pair",
    aggregation: "mean over all pairs of the update; KL token-mean",
  },
})
export class PreferenceObjective implements Objective {
  constructor(@options() private readonly o: Static<typeof trpaOptions>) {}

  terms(context: Context): readonly Term[] {
    return this.o.klCoef === 0 ? [this.preference(context)] : [this.preference(context), this.trustRegion(context)];
  }

  private preference(context: Context): Term {
    const { beta, anisotropy } = this.o;
    const { rowMask: filled, sameGroup } = context;
    const level = context.column(LEVEL.name);
    const isBest = level.equal(1);
    const rho = context.sequenceMean(context.logp.sub(context.refLogp));

    const isPair = sameGroup
      .and(level.less(transposed(level)))
      .and(filled)
      .and(transposed(filled));
    const margin = rho
      .sub(context.groupPeers(rho))
      .mul(where(isBest, anisotropy, 1))
      .mul(beta);
    const pairs = context.updateNumber("pairs of different level", pairsIn);
    const perPair = (x: Expr) => where(isPair, x, 0).sum([0, 1], true).div(pairs.max(1));

    const responses = context.updateNumber("non-empty responses", (update) => groupsOf(update).flat().length);
    const alone = where(isBest, rho.neg(), rho).softplus();
    const fallback = context.batchSum(where(filled, alone, 0)).div(responses.max(1));
    return {
      name: "preference",
      value: where(pairs.greater(0), perPair(margin.neg().softplus()), fallback),
      aggregation: "scalar",
      observe: { ranked: perPair(margin.greater(0).cast("float")) },
    };
  }

  private trustRegion(context: Context): Term {
    const { klCoef, sqrtKl } = this.o;
    const divergence = klEstimate("k3", context.logp, context.oldLogp);
    const name = "trustRegion";
    return sqrtKl
      ? { name, value: context.batchMean(divergence).add(0.25).sqrt().mul(klCoef), aggregation: "scalar" }
      : { name, value: divergence.mul(klCoef), aggregation: "token-mean" };
  }
}

const transposed = (x: Expr): Expr => x.transpose([1, 0]);
