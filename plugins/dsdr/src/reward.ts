import {
  type Batch,
  correctOf,
  correctThresholdOption,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  statistics,
  Type,
} from "@proximal/core";
import { diversityRewards } from "./diversity.js";
import { formulasOf } from "./formulas.js";

export const dsdrOptions = Type.Object({
  globalCoef: Type.Number({ default: 0.001, minimum: 0, description: "λ_d: weight of the diversity of a right response" }),
  diversityClip: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 1, description: "σ_d: largest diversity that counts" }),
  semanticWeight: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Share of the embeddings; the rest are the formulas" }),
  allocationScale: Type.Number({ default: 1, minimum: 0, description: "τ: larger = the local term concentrates on diverse responses" }),
  correctThreshold: correctThresholdOption,
});

@rewardModel({
  id: "dsdr",
  description: "A small bonus for right responses that differ from their group, in meaning and in formulas",
  options: dsdrOptions,
  reads: ["completions", "group"],
  writes: ["correct", "localWeights"],
  requires: ["embed"],
  wraps: true,
})
export class DiversityReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof dsdrOptions>) {}

  async score(batch: Batch, { inner, services }: RewardContext): Promise<RewardResult> {
    const texts = batch.strings("completions");
    const embeddings = await services.embed(texts);
    const facts = { rewards: inner!.rewards, embeddings, formulas: texts.map(formulasOf) };
    const { rewards, diversity, localWeights } = diversityRewards(facts, batch.groupRows, this.o);
    const correct = correctOf(inner!.rewards, this.o.correctThreshold);
    return {
      rewards,
      components: { diversity },
      columns: { correct, localWeights },
      metrics: { diversityOfCorrect: statistics.mean(diversity.filter((_, row) => correct[row] === 1)) },
    };
  }
}
