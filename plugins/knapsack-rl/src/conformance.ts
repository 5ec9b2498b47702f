import { completeOptions, defineConformance } from "@proximal/core";
import { type AllocationOptions, allocate } from "./allocation.js";
import { KnapsackSampler } from "./sampler.js";
import { promptValue } from "./value.js";

export default defineConformance({
  "sampler/value": (_, inputs) => {
    const rollouts = inputs.rollouts as number[];
    return { promptValue: (inputs.successRate as number[]).map((p, i) => promptValue(rollouts[i]!, p)) };
  },
  "sampler/allocation": (options, inputs) => {
    const rates = inputs.successRate as (number | null)[];
    const plan = allocate(rates, completeOptions(KnapsackSampler, options) as unknown as AllocationOptions);
    const values = rates.map((p, i) => (p !== null && p > 0 && p < 1 ? promptValue(plan.allocation[i]!, p) : 0));
    return { ...plan, totalValue: values.reduce((a, b) => a + b, 0) };
  },
});
