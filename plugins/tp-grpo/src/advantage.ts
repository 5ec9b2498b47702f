import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  DataError,
  type EstimateResult,
  groupNormalize,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";
import { merged, type Span, thoughtAdvantages } from "./thoughts.js";

const { mean, take } = statistics;

export const tpOptions = Type.Object({
  alpha: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Scale of the process reward r_c in right solutions" }),
  granularity: Type.Enum(["thought", "step"], { default: "thought", description: "Merge consecutive steps of one label, or not" }),
  adaptive: Type.Boolean({ default: true, description: "r_c = alpha times the share of right solutions of the group; else alpha" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std of the group" }),
});

/** Outcome advantage of the group, corrected inside each solution by the labels of its thoughts, [B, T]. TP-GRPO (2507.23317). */
@advantageEstimator({
  id: "tp-grpo",
  description: "GRPO's advantage, lowered in wrong thoughts of right solutions and lifted in doubtful thoughts of wrong ones",
  options: tpOptions,
  reads: ["rewards", { name: "steps", at: "row", dtype: "json" }],
  writes: ["advantages", { name: "outcomeAdvantage", at: "row", dtype: "f64" }, { name: "thoughts", at: "row", dtype: "json" }],
  conventions: { std: "sample (n - 1)", groupOfOne: "its reward / (1 + stdEps)" },
})
export class TpAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof tpOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const { alpha, adaptive, granularity, stdEps } = this.o;
    const rewards = batch.f64("rewards");
    const normalization = { scale: "group", ddof: 1, stdEps, groupOfOne: "raw-scaled", advClip: null } as const;
    const outcomeAdvantage = groupNormalize(rewards, batch.groupRows, normalization);
    const shares = batch.groupRows.map((rows) => take(rewards, rows).filter((o) => o > 0).length / rows.length);
    const thoughts = batch.json<readonly Span[]>("steps").map((steps) => (granularity === "thought" ? merged(steps) : [...steps]));
    const advantages = new Float64Array(batch.tokens);
    thoughts.forEach((spans, row) => {
      const processReward = adaptive ? alpha * shares[batch.group[row]!]! : alpha;
      const own = thoughtAdvantages(spans, outcomeAdvantage[row]!, processReward);
      if (own.length !== batch.lengths[row]) {
        throw new DataError(`the steps of response ${row} hold ${own.length} tokens, the response ${batch.lengths[row]}`);
      }
      advantages.set(own, batch.offsets[row]);
    });
    const corrected = batch.repeat(outcomeAdvantage).map((outcome, t) => Number(outcome !== advantages[t]));
    return {
      columns: { advantages, outcomeAdvantage, thoughts },
      metrics: {
        thoughtsPerResponse: mean(thoughts.map((spans) => spans.length)),
        correctedTokens: mean(corrected),
      },
    };
  }
}
