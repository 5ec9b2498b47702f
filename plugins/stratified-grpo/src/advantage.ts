import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  options,
  type Static,
  Type,
} from "@proximal/core";

export const stratifiedOptions = Type.Object({
  blend: Type.Number({ default: 0.8, minimum: 0, maximum: 1, description: "Weight of the normalisation inside the stratum; 0 = GRPO" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
  ddof: Type.Union([Type.Literal(0), Type.Literal(1)], { default: 0, description: "Std divides by n - ddof: 0 = population, 1 = sample" }),
  maxStratum: Type.Optional(Type.Integer({ minimum: 0, description: "Larger keys are merged into it" })),
});

/**
 * A = blend·(R - mean_k)/(std_k + ε) + (1 - blend)·(R - mean)/(std + ε): strata k are the rows of one prompt with equal
 * structural key (number of search calls). Row values [B]. Zhu et al. 2025 (2510.06214).
 */
@advantageEstimator({
  id: "stratified-grpo",
  description: "Blend of the advantage inside the stratum (equal number of tool calls) and inside the whole group",
  options: stratifiedOptions,
  reads: ["rewards", { name: "stratum", at: "row", dtype: "i32" }],
  writes: ["advantages"],
  conventions: { std: "population unless ddof is 1", groupOfOne: "0" },
})
export class StratifiedAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof stratifiedOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const { blend, stdEps, ddof, maxStratum = Number.POSITIVE_INFINITY } = this.o;
    const rewards = batch.f64("rewards");
    const keys = batch.i32("stratum").map((key) => Math.min(key, maxStratum));
    const strata = batch.groupRows.flatMap((rows) => {
      const byKey = new Map<number, number[]>();
      for (const row of rows) byKey.set(keys[row]!, [...(byKey.get(keys[row]!) ?? []), row]);
      return [...byKey.values()];
    });
    const settings = { scale: "group", ddof, stdEps, groupOfOne: "zero", advClip: null } as const;
    const inside = groupNormalize(rewards, strata, settings);
    const across = groupNormalize(rewards, batch.groupRows, settings);
    return {
      columns: { advantages: Array.from(inside, (a, i) => blend * a + (1 - blend) * across[i]!) },
      metrics: { strataPerGroup: batch.groups === 0 ? 0 : strata.length / batch.groups, singletonFraction: singletons(strata, batch.rows) },
    };
  }
}

const singletons = (strata: readonly (readonly number[])[], rows: number): number =>
  rows === 0 ? 0 : strata.filter((stratum) => stratum.length === 1).length / rows;
