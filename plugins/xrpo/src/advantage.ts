import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  lossMask,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

export const xrpoAdvantageOptions = Type.Object({
  noveltyWeight: Type.Number({ default: 2.5, minimum: 0, description: "λ: bonus of a response per unit of novelty; 0 = off" }),
  noveltyClip: Type.Number({ default: 0.5, minimum: 0, description: "κ: the bonus is at most κ times the advantage" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
});

/**
 * η_i = exp(s_i - s̄), [B], with s the mean log-prob a token and s̄ its mean over the group: below 1 = less likely than the group.
 * A response without tokens has no s: it takes no part in s̄ and has η = 1.
 */
function novelty(batch: Batch): Float64Array {
  const mask = lossMask(batch);
  const logp = batch.f64("oldLogp");
  const scores = Float64Array.from({ length: batch.rows }, (_, row) => {
    const [from, to] = [batch.offsets[row]!, batch.offsets[row + 1]!];
    return statistics.mean(logp.subarray(from, to).filter((_, t) => mask[from + t]));
  });
  const result = new Float64Array(batch.rows).fill(1);
  for (const rows of batch.groupRows) {
    const scored = [...rows].filter((row) => !Number.isNaN(scores[row]!));
    const center = statistics.mean(statistics.take(scores, scored));
    for (const row of scored) result[row] = statistics.boundedRatio(scores[row]! - center);
  }
  return result;
}

/** A + min(max(λ(1 - η), 0), κA) where A > 0, else A: a correct response counts more the less likely it was. */
export const sharpened = (advantage: number, eta: number, lambda: number, kappa: number): number =>
  advantage > 0 ? advantage + Math.min(Math.max(lambda * (1 - eta), 0), kappa * advantage) : advantage;

/** GRPO's advantage, raised for unlikely responses that are better than their group. XRPO (2510.06672). */
@advantageEstimator({
  id: "xrpo",
  description: "Group-normalised rewards, sharpened by the novelty of better responses",
  options: xrpoAdvantageOptions,
  reads: ["rewards", "oldLogp"],
  writes: ["advantages", { name: "novelty", at: "row", dtype: "f64" }],
  conventions: { std: "sample (n - 1)", groupOfOne: "0" },
})
export class XrpoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof xrpoAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const { noveltyWeight, noveltyClip, stdEps } = this.o;
    const base = groupNormalize(batch.f64("rewards"), batch.groupRows, {
      ddof: 1,
      scale: "group",
      stdEps,
      groupOfOne: "zero",
      advClip: null,
    });
    const eta = novelty(batch);
    // A list, one entry a row: a typed array as long as there are tokens would be read token by token.
    const advantages = Array.from(base, (a, row) => sharpened(a, eta[row]!, noveltyWeight, noveltyClip));
    const positive = [...base.keys()].filter((row) => base[row]! > 0);
    const raised = positive.filter((row) => advantages[row]! > base[row]!);
    return {
      columns: { advantages, novelty: eta },
      metrics: {
        sharpenedFraction: positive.length === 0 ? Number.NaN : raised.length / positive.length,
        noveltyOfBetter: statistics.mean(statistics.take(eta, positive)),
      },
    };
  }
}
