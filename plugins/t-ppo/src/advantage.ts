import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  generalizedAdvantages,
  lossMask,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";
import { tokenSets, WINDOW_COLUMNS } from "./window.js";

export const tPpoOptions = Type.Object({
  gamma: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 1, description: "Discount a token" }),
  lambda: Type.Number({ default: 0.95, minimum: 0, maximum: 1, description: "Trace parameter of the advantages" }),
  tailDrop: Type.Integer({ default: 0, minimum: 0, description: "Last tokens of a cut response that the policy is not trained on" }),
});

/**
 * Extended GAE: A_t = Σ_k (γλ)^(k-t)·δ_k, [B, T]. The last δ is R - V for a finished response and γ·V - V for one that was cut, as if
 * its next value were the last one. Value targets G_t = γ^(l-1-t)·R for finished responses alone, 0 elsewhere. T-PPO (2506.15050).
 */
@advantageEstimator({
  id: "t-ppo",
  description:
    "Generalised advantages of whole and of cut responses, Monte Carlo value targets of whole ones, and the tokens of both losses",
  options: tPpoOptions,
  reads: ["rewards", "oldValues", "mask", WINDOW_COLUMNS.finished, WINDOW_COLUMNS.windowStart],
  writes: ["advantages", "returns", "policyMask", WINDOW_COLUMNS.valueMask],
  conventions: { std: "none: advantages are not whitened" },
})
export class ExtendedGae implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof tPpoOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const { gamma, lambda, tailDrop } = this.o;
    const mask = lossMask(batch);
    const values = batch.f64("oldValues");
    const [reward, finished] = [batch.f64("rewards"), batch.f64("finished")];
    const rewards = new Float64Array(batch.tokens);
    const returns = new Float64Array(batch.tokens);
    for (let row = 0; row < batch.rows; row++) {
      const from = batch.offsets[row]!;
      const last = from + mask.subarray(from, batch.offsets[row + 1]).lastIndexOf(1);
      if (last < from) continue;
      rewards[last] = finished[row] ? reward[row]! : gamma * values[last]!;
      if (!finished[row]) continue;
      let target = reward[row]!;
      for (let t = last; t >= from; t--) {
        if (!mask[t]) continue;
        returns[t] = target;
        target *= gamma;
      }
    }
    const advantages = generalizedAdvantages({ rewards, values, mask, offsets: batch.offsets }, gamma, lambda);
    const { policyMask, valueMask } = tokenSets(batch, tailDrop);
    const done = reward.filter((_, row) => finished[row] === 1);
    return {
      columns: { advantages, returns, policyMask, valueMask },
      metrics: {
        finishedReward: statistics.mean(done),
        finishedFraction: done.length / batch.rows,
        policyTokens: statistics.mean(policyMask),
        valueTokens: statistics.mean(valueMask),
      },
    };
  }
}
