import { completeOptions, defineConformance } from "@proximal/core";
import { type PromotionOptions, probabilities, promotionScore, promptWeights, weightedCount } from "./promotion.js";
import { VarianceAwareSampler } from "./sampler.js";

export default defineConformance({
  sampler: (options, inputs) => {
    const o = completeOptions(VarianceAwareSampler, options) as unknown as PromotionOptions;
    const tokens = inputs.tokensByPrompt as number[][][];
    const scores = (inputs.correctByPrompt as number[][]).map((correct, i) => promotionScore(correct, tokens[i]!, o));
    const column = (name: keyof (typeof scores)[number]) => scores.map((score) => score[name]);
    const before = (inputs.state as { weights: number[] } | undefined)?.weights;
    const weights = promptWeights(column("vps"), before, o);
    const batchSize = inputs.batchSize as number;
    const byWeight = weightedCount(batchSize, o.mixtureRatio);
    return {
      successRate: column("successRate"),
      ovs: column("ovs"),
      tds: column("tds"),
      vps: column("vps"),
      promptWeights: weights,
      probabilities: probabilities(weights),
      state: { weights },
      weightedCount: byWeight,
      uniformCount: batchSize - byWeight,
    };
  },
});
