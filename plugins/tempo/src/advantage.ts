import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";
import { prefixValues } from "./prefix-values.js";

const { constant, mean, std, take } = statistics;

export const tempoOptions = Type.Object({
  tdScale: Type.Number({ default: 1, minimum: 0, description: "Weight of the temporal-difference term; 0 = GRPO" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
  ddof: Type.Union([Type.Literal(0), Type.Literal(1)], { default: 0, description: "Std divides by n - ddof: 0 = population, 1 = sample" }),
});

/**
 * A_{i,t} = [(r_i - mean r) + tdScale·(V(s_{t+1}) - V(s_t))] / (std r + stdEps), [B, T]; V from the group's prefix tree.
 * Non-zero TD only where responses of the group part. Tran et al. 2025 (2509.18314).
 */
@advantageEstimator({
  id: "tempo",
  description: "GRPO's advantage plus the change of the mean reward of responses that share the prefix",
  options: tempoOptions,
  reads: ["rewards", "tokens"],
  writes: ["advantages", { name: "branching", at: "token", dtype: "bool" }],
  conventions: { std: "population unless ddof is 1", groupOfOne: "0" },
})
export class TempoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof tempoOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const advantages = new Float64Array(batch.tokens);
    const branching = new Uint8Array(batch.tokens);
    for (const [rows, values] of this.groupValues(batch)) {
      const group = take(rewards, rows);
      if (constant(group)) continue;
      const center = mean(group);
      const scale = std(group, this.o.ddof) + this.o.stdEps;
      rows.forEach((row, i) => {
        for (let t = 0; t < values[i]!.length - 1; t++) {
          const difference = values[i]![t + 1]! - values[i]![t]!;
          const at = batch.offsets[row]! + t;
          advantages[at] = (group[i]! - center + this.o.tdScale * difference) / scale;
          branching[at] = difference === 0 ? 0 : 1;
        }
      });
    }
    return { columns: { advantages, branching }, metrics: { branchingFraction: batch.tokens === 0 ? 0 : mean(branching) } };
  }

  /** Rows of each group with their values V(s_0) … V(s_T). */
  groupValues(batch: Batch): [rows: Int32Array, values: Float64Array[]][] {
    const tokens = batch.i32("tokens");
    const rewards = batch.f64("rewards");
    return batch.groupRows.map((rows) => {
      const responses = Array.from(rows, (row) => tokens.subarray(batch.offsets[row]!, batch.offsets[row + 1]!));
      return [rows, prefixValues(responses, take(rewards, rows))];
    });
  }
}
