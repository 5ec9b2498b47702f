import { completeOptions, defineConformance, KlRegularizer, type Options, runTerms, type TermCase } from "@proximal/core";
import { type AugmentationOptions, augmentationOf } from "./augmentation.js";
import { RegressionObjective } from "./objective.js";
import { DifficultySampler } from "./sampler.js";

const KL = { aggregation: "seq-mean-token-mean" };

/** The KL term is the builtin regularizer, as the algorithm composes it. */
function terms({ klCoef = 0.04, ...own }: Options): TermCase[] {
  const regression = { component: RegressionObjective, options: own };
  return Number(klCoef) === 0 ? [regression] : [regression, { component: KlRegularizer, options: KL, coefficient: Number(klCoef) }];
}

export default defineConformance({
  objective: (options, inputs) => runTerms(terms(options), inputs),
  sampler: (options, inputs) => {
    const o = completeOptions(DifficultySampler, options) as unknown as AugmentationOptions;
    const buffer = inputs.bufferRewards as number[][];
    return { augmentation: (inputs.groupMeanReward as number[]).map((mean) => augmentationOf(buffer, mean, o)) };
  },
});
