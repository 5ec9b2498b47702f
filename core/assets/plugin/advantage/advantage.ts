import { type AdvantageEstimator, advantageEstimator, type Batch, type EstimateResult, options, type Static, Type } from "@proximal/core";

const advantageOptions = Type.Object({
  groupOfOne: Type.Enum(["zero", "raw"], { default: "zero", description: "Advantage of a response without siblings: 0 or its reward" }),
});

/** A_i = R_i - mean_{j≠i} R_j over the other responses to the same prompt, [B]. Ahmadian et al. 2024 (2402.14740). */
@advantageEstimator({
  id: "my-slug",
  description: "Reward relative to the mean of the group's other responses",
  options: advantageOptions,
  reads: ["rewards"],
  writes: ["advantages"],
  conventions: { std: "none", groupOfOne: "0 unless groupOfOne is raw" },
})
export class MySlugAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof advantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const advantages = new Array<number>(batch.rows).fill(0);
    for (const rows of batch.groupRows) {
      const total = rows.reduce((sum, row) => sum + rewards[row]!, 0);
      for (const row of rows) {
        const others = (total - rewards[row]!) / (rows.length - 1);
        advantages[row] = rows.length > 1 ? rewards[row]! - others : this.o.groupOfOne === "raw" ? rewards[row]! : 0;
      }
    }
    return { columns: { advantages } };
  }
}
