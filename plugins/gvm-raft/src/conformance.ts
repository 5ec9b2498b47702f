import { completeOptions, defineConformance, runAdvantage } from "@proximal/core";
import { GvmAdvantage } from "./advantage.js";
import { type AllocationOptions, allocationRatios, integerAllocation } from "./allocation.js";
import { GvmSampler } from "./sampler.js";

export default defineConformance({
  sampler: (options, inputs) => {
    const o = completeOptions(GvmSampler, options) as unknown as AllocationOptions;
    const budget = inputs.budget as number;
    const allocationRatio = allocationRatios(inputs.gradNorm as number[], inputs.successRate as number[], budget, o);
    return { allocationRatio, allocation: integerAllocation(allocationRatio, budget) };
  },
  advantage: (options, inputs) => runAdvantage(GvmAdvantage, options, inputs),
});
