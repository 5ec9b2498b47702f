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

export const evolAdvantageOptions = Type.Object({
  nTrain: Type.Optional(
    Type.Integer({ minimum: 2, description: "Responses of each prompt that are trained on, the first of the group; all when left out" }),
  ),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
});

/** GRPO's advantage (sample std) over the first `nTrain` responses of each group; the others only voted. */
@advantageEstimator({
  id: "evol-rl",
  description: "GRPO's advantage over the responses that are trained on; the rest of the group only votes",
  options: evolAdvantageOptions,
  reads: ["rewards"],
  writes: ["advantages", "keep"],
  conventions: { std: "sample (n - 1)", groupOfOne: "R / (1 + ε)" },
  exceptions: { rowOrder: "the first nTrain responses of a group are trained on" },
})
export class VotingAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof evolAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const trained = batch.groupRows.map((rows) => rows.slice(0, this.o.nTrain ?? rows.length));
    const keep = new Uint8Array(batch.rows);
    for (const row of trained.flatMap((rows) => [...rows])) keep[row] = 1;
    const settings = { scale: "group", ddof: 1, stdEps: this.o.stdEps, groupOfOne: "raw-scaled", advClip: null } as const;
    return { columns: { advantages: [...groupNormalize(batch.f64("rewards"), trained, settings)], keep } };
  }
}
