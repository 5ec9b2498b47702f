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

export const cadAdvantageOptions = Type.Object({
  filterOverlong: Type.Boolean({
    default: true,
    description: "Responses cut at the length limit count neither in the mean nor in the std",
  }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the sample std" }),
});

/** GRPO's advantage over the responses of each group that were not cut at the length limit; 0 for those that were. */
@advantageEstimator({
  id: "cad-rl",
  description: "Group-normalised rewards of the responses that were not cut",
  options: cadAdvantageOptions,
  reads: ["rewards", "truncated"],
  writes: ["advantages"],
  conventions: { std: "sample (n - 1)", groupOfOne: "0" },
})
export class FilteredAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof cadAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const cut = batch.f64("truncated");
    const whole = batch.groupRows
      .map((rows) => rows.filter((row) => !this.o.filterOverlong || cut[row] !== 1))
      .filter((rows) => rows.length > 0);
    const settings = { scale: "group", ddof: 1, stdEps: this.o.stdEps, groupOfOne: "zero", advClip: null } as const;
    return { columns: { advantages: [...groupNormalize(batch.f64("rewards"), whole, settings)] } };
  }
}
