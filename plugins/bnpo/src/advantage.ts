import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  DataError,
  type EstimateResult,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";
import { type BetaShape, fitBeta, inverseDensity } from "./beta.js";

const { mean, take } = statistics;

export const bnpoOptions = Type.Object({
  rewardMin: Type.Number({ default: 0, description: "Reward that maps to 0" }),
  rewardMax: Type.Number({ default: 1, description: "Reward that maps to 1" }),
  weightMax: Type.Number({ default: 1e6, exclusiveMinimum: 0, description: "Ceiling of the weight 1 / f(p)" }),
  shapeDivisor: Type.Number({ default: 3, exclusiveMinimum: 0, description: "The 3 in alpha = 1 + a/3" }),
  rewardRanges: Type.Optional(
    Type.Array(Type.Tuple([Type.Number(), Type.Number()]), {
      description: "[min, max] of each reward component: normalise them apart and average",
    }),
  ),
  decompose: Type.Boolean({ default: false, description: "Normalise every reward component apart, then average the advantages" }),
});

export interface BnpoComponent extends BetaShape {
  advantages: Float64Array;
}

/**
 * A_i = w_g·(r_i - p_g), w_g = min(weightMax, 1 / f(p_g)), f the Beta(alpha, beta) density fitted to the success rates p of
 * the batch's groups; rewards mapped to [0, 1] first. Row values [B]. Xiao et al. 2025 (2506.02864).
 */
@advantageEstimator({
  id: "bnpo",
  description: "Centred reward weighted by the inverse of a Beta density fitted to the groups' success rates",
  options: bnpoOptions,
  reads: ["rewards", "rewardComponents"],
  writes: ["advantages"],
  conventions: { std: "none: weight 1 / f(p) of the group", groupOfOne: "its reward (p = 0)" },
})
export class BnpoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof bnpoOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const parts = this.components(batch);
    const advantages = Array.from({ length: batch.rows }, (_, i) => mean(parts.map((part) => part.advantages[i]!)));
    return {
      columns: { advantages },
      metrics: { alpha: mean(parts.map((part) => part.alpha)), beta: mean(parts.map((part) => part.beta)) },
    };
  }

  /** One entry for the total reward, or one a component. */
  components(batch: Batch): BnpoComponent[] {
    const { rewardMin, rewardMax, rewardRanges, decompose } = this.o;
    if (!decompose && rewardRanges === undefined) return [this.normalize(batch.f64("rewards"), [rewardMin, rewardMax], batch)];
    const values = batch.f64("rewardComponents");
    const K = values.length / Math.max(1, batch.rows);
    return Array.from({ length: K }, (_, k) =>
      this.normalize(
        Float64Array.from({ length: batch.rows }, (_, row) => values[row * K + k]!),
        rewardRanges?.[k] ?? [rewardMin, rewardMax],
        batch,
      ),
    );
  }

  private normalize(rewards: Float64Array, [low, high]: readonly [number, number], { groupRows }: Batch): BnpoComponent {
    const unit = rewards.map((reward) => (reward - low) / (high - low));
    const outside = unit.findIndex((r) => r < 0 || r > 1);
    if (outside >= 0) {
      throw new DataError(`bnpo: reward ${rewards[outside]} lies outside [rewardMin, rewardMax] = [${low}, ${high}]`, {
        hint: "set rewardMin and rewardMax to the range of the reward",
      });
    }
    // A group of one keeps its reward: p = 0.
    const rates = groupRows.map((rows) => (rows.length === 1 ? 0 : mean(take(unit, rows))));
    const shape = fitBeta(rates, this.o.shapeDivisor);
    const advantages = new Float64Array(rewards.length);
    groupRows.forEach((rows, g) => {
      const weight = inverseDensity(rates[g]!, shape, this.o.weightMax);
      for (const row of rows) advantages[row] = unit[row] === rates[g] ? 0 : weight * (unit[row]! - rates[g]!);
    });
    return { ...shape, advantages };
  }
}
