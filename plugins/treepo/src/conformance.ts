import { batchOfCase, completeOptions, defineConformance, instantiate, runAdvantage } from "@proximal/core";
import { TreeAdvantage } from "./advantage.js";
import { type BranchPolicy, branchBudget, splitBudget } from "./branching.js";
import { TreeSampler } from "./sampler.js";

export default defineConformance({
  advantage: async (options, inputs) => ({
    ...(await runAdvantage(TreeAdvantage, options, inputs)),
    rawAdvantages: instantiate(TreeAdvantage, options).raw(batchOfCase(inputs)),
  }),
  sampler: (options, inputs) => {
    const o = completeOptions(TreeSampler, options) as { policy: BranchPolicy; branching: number; maxWidth: number; temperature: number };
    const logp = inputs.logp as number[][];
    const budget = branchBudget(logp.length, inputs.finishedCount as number, inputs.finishedThisStep as number, o);
    return { branchBudget: budget, branches: splitBudget(o.policy, logp, budget, o.temperature) };
  },
});
