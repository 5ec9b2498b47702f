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
import { chainAdvantages, cutpoints } from "./chain.js";
import { oldProbs, probThresholdOption, uncertainTokens, whitenedOver, whitenOption } from "./uncertain.js";

export const chainOptions = Type.Object({
  probThreshold: probThresholdOption,
  cutpointInterval: Type.Integer({ default: 5, minimum: 1, description: "Uncertain tokens a segment; as of the sampler" }),
  whiten: whitenOption,
});

/** Change of the Monte Carlo value over the segment that a token lies in, [B, T]. SPO-chain (2505.23564). */
@advantageEstimator({
  id: "spo-chain",
  description: "Difference of Monte Carlo values between the cuts of a response",
  options: chainOptions,
  reads: ["rewards", "oldLogp", "mask", { name: "cutpointValues", at: "row", dtype: "json" }],
  writes: ["advantages", { name: "cutpoints", at: "row", dtype: "json" }],
  conventions: { std: "whitened over the uncertain tokens: sample variance + 1e-8", groupOfOne: "no groups: values are sampled" },
})
export class ChainAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof chainOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const probs = oldProbs(batch);
    const rewards = batch.f64("rewards");
    const values = batch.json<readonly number[]>("cutpointValues");
    const rows = Array.from({ length: batch.rows }, (_, row) => probs.subarray(batch.offsets[row], batch.offsets[row + 1]));
    const raw = new Float64Array(batch.tokens);
    rows.forEach((own, row) => {
      raw.set(chainAdvantages(own, values[row]!, rewards[row]!, this.o), batch.offsets[row]);
    });
    const marked = uncertainTokens(batch, this.o.probThreshold);
    const cuts = rows.map((own) => cutpoints(own, this.o));
    return {
      columns: { advantages: this.o.whiten ? whitenedOver(raw, marked) : raw, cutpoints: cuts },
      metrics: {
        uncertainTokens: statistics.mean(marked),
        cutsPerResponse: statistics.mean(cuts.map((list) => list.length)),
        segmentAdvantage: statistics.mean(raw.filter((_, t) => marked[t] === 1).map(Math.abs)),
      },
    };
  }
}
