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
import { type AdvantageMode, edgeAdvantage } from "./tree.js";
import { probThresholdOption, uncertainTokens, whitenedOver, whitenOption } from "./uncertain.js";

/** Columns of an edge, beside the value of its end in `rewards`. */
export const EDGE_COLUMNS = {
  parentValue: { name: "parentValue", at: "row", dtype: "f64" },
  parentStd: { name: "parentStd", at: "row", dtype: "f64" },
} as const;

export const treeOptions = Type.Object({
  advantageMode: Type.Enum(["rloo", "grpo"], { default: "rloo", description: "grpo: also divide by the std of the siblings" }),
  dropZero: Type.Boolean({ default: true, description: "Leave out segments that do not change the value" }),
  probThreshold: probThresholdOption,
  whiten: whitenOption,
});

/** V(child) - V(parent) for the segment between them, the same for all its tokens, [B]. SPO-tree (2505.23564). */
@advantageEstimator({
  id: "spo-tree",
  description: "Difference of the mean rewards below the two ends of a segment",
  options: treeOptions,
  reads: ["rewards", "oldLogp", "mask", EDGE_COLUMNS.parentValue, EDGE_COLUMNS.parentStd],
  writes: ["advantages", "keep"],
  needs: ["segment-tree"],
  conventions: { std: "grpo mode: population, of the siblings, + 1e-8; whitened over the uncertain tokens" },
})
export class TreeAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof treeOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const { advantageMode, dropZero, probThreshold, whiten } = this.o;
    const values = batch.f64("rewards");
    const [parents, stds] = [batch.f64("parentValue"), batch.f64("parentStd")];
    const keep = Uint8Array.from(values, (value, row) => Number(!dropZero || value - parents[row]! !== 0));
    const raw = batch.repeat(values.map((value, row) => edgeAdvantage(value, parents[row]!, stds[row]!, advantageMode as AdvantageMode)));
    const rowKept = batch.repeat(keep);
    const marked = uncertainTokens(batch, probThreshold).map((on, t) => (rowKept[t] ? on : 0));
    return {
      columns: { advantages: whiten ? whitenedOver(raw, marked) : raw, keep },
      metrics: { keptEdges: statistics.mean(keep), uncertainTokens: statistics.mean(marked) },
    };
  }
}
