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

export const icpoAdvantageOptions = Type.Object({
  rejectThreshold: Type.Number({ default: 1, description: "δ: a steered response with a lower reward is dropped" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
});

/** (R - mean)/(std + stdEps) over the responses of the group that are kept; steered ones below δ are dropped and get 0. [B]. ICPO (2510.26519). */
@advantageEstimator({
  id: "icpo",
  description: "Group-normalised rewards without the steered responses that failed",
  options: icpoAdvantageOptions,
  reads: ["rewards", "hinted"],
  writes: ["advantages", "keep"],
  conventions: { std: "sample (n - 1), over kept responses", groupOfOne: "0" },
})
export class IcpoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof icpoAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const hinted = batch.f64("hinted");
    const keep = rewards.map((reward, row) => (hinted[row] === 1 && reward < this.o.rejectThreshold ? 0 : 1));
    const keptRows = batch.groupRows.map((rows) => rows.filter((row) => keep[row] === 1));
    const { stdEps } = this.o;
    const advantages = groupNormalize(rewards, keptRows, { ddof: 1, scale: "group", stdEps, groupOfOne: "zero", advClip: null });
    const steered = hinted.reduce((a, b) => a + b, 0);
    const rejected = batch.rows - keep.reduce((a, b) => a + b, 0);
    return {
      columns: { advantages: [...advantages], keep: [...keep] },
      metrics: { rejectedFraction: steered === 0 ? Number.NaN : rejected / steered },
    };
  }
}
