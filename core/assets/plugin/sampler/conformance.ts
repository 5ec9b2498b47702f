import { batchOfCase, completeOptions, defineConformance } from "@proximal/core";
import { MySlugSampler, spreads } from "./sampler.js";

export default defineConformance({
  sampler: (options, inputs) => {
    const { minSpread } = completeOptions(MySlugSampler, options) as { minSpread: number };
    return { keep: spreads(batchOfCase(inputs), minSpread) };
  },
});
