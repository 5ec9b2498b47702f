import {
  type Batch,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  statistics,
  Type,
} from "@proximal/core";
import { isDegenerate } from "./degeneracy.js";
import { stabilityBound } from "./stability.js";

export const diagnosticOptions = Type.Object({
  alpha: Type.Number({ default: 0.1, exclusiveMinimum: 0, description: "Temperature that the bound is reported for" }),
  tieTolerance: Type.Number({ default: 1e-6, minimum: 0, description: "Answers tie when their mean rewards differ by at most this" }),
  rewardNoise: Type.Number({ default: 0.01, minimum: 0, description: "Largest change of a reward that the bound is reported for" }),
});

/**
 * Passes its inner rewards on and reports how many prompts stand at a cliff: every prompt is a one-state problem whose actions
 * are the distinct answers (column `answers`, else the trimmed completions).
 */
@rewardModel({
  id: "policy-cliff",
  description: "Reports the share of prompts whose best reward is shared by different answers; changes no reward",
  options: diagnosticOptions,
  reads: ["completions", "group", { name: "answers", optional: true }],
  wraps: true,
})
export class CliffDiagnostic implements RewardModel {
  constructor(@options() private readonly o: Static<typeof diagnosticOptions>) {}

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const { rewards } = inner!;
    const answers = batch.has("answers") ? batch.strings("answers") : batch.strings("completions").map((text) => text.trim());
    const degenerate = batch.groupRows.filter((rows) => {
      const list = [...rows];
      return isDegenerate(
        list.map((row) => answers[row]!),
        statistics.take(rewards, list),
        this.o.tieTolerance,
      );
    });
    return {
      rewards,
      metrics: {
        degeneracy: batch.groups === 0 ? 0 : degenerate.length / batch.groups,
        bound: stabilityBound(this.o.rewardNoise, { alpha: this.o.alpha, gamma: 0 }),
      },
    };
  }
}
