import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

export const unlikelinessAdvantageOptions = Type.Object({
  dropDegenerateGroups: Type.Boolean({ default: true, description: "Leave out groups without any success or without any failure" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
});

/** GRPO's advantage (sample std) over the groups that hold both a success (R > 0) and a failure; the others are left out. */
@advantageEstimator({
  id: "unlikeliness",
  description: "GRPO's advantage without the groups in which all or none succeeded",
  options: unlikelinessAdvantageOptions,
  reads: ["rewards"],
  writes: ["advantages", "keep"],
  conventions: { std: "sample (n - 1)", groupOfOne: "left out; R / (1 + ε) when groups are not dropped" },
})
export class MixedGroupAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof unlikelinessAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const advantages = groupNormalize(rewards, batch.groupRows, {
      scale: "group",
      ddof: 1,
      stdEps: this.o.stdEps,
      groupOfOne: "raw-scaled",
      advClip: null,
    });
    const keep = new Uint8Array(batch.rows).fill(1);
    for (const rows of batch.groupRows) {
      const successes = rows.filter((row) => rewards[row]! > 0).length;
      if (!this.o.dropDegenerateGroups || (successes > 0 && successes < rows.length)) continue;
      for (const row of rows) {
        keep[row] = 0;
        advantages[row] = 0;
      }
    }
    return { columns: { advantages: [...advantages], keep }, metrics: { keptFraction: batch.rows === 0 ? 0 : statistics.mean(keep) } };
  }
}
