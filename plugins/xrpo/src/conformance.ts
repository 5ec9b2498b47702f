import { completeOptions, defineConformance, runAdvantage } from "@proximal/core";
import { XrpoAdvantage } from "./advantage.js";
import { type AllocatorOptions, allFailed, allocatePhase } from "./allocator.js";
import { XrpoSampler } from "./sampler.js";

export default defineConformance({
  sampler: (options, inputs) => {
    const rewards = inputs.rewardsByPrompt as number[][];
    const o = completeOptions(XrpoSampler, options) as unknown as AllocatorOptions;
    return { ...allocatePhase(rewards, inputs.budget as number, o), icl: rewards.map(allFailed) };
  },
  // The log-probs of a case are those of the rollout.
  advantage: (options, { logp, ...inputs }) => runAdvantage(XrpoAdvantage, options, { ...inputs, oldLogp: logp }),
});
