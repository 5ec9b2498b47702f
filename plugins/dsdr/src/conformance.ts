import { batchOfCase, completeOptions, defineConformance, runTerms } from "@proximal/core";
import { type DiversityFacts, type DiversitySettings, diversityRewards } from "./diversity.js";
import { LocalEntropy } from "./regularizer.js";
import { DiversityReward } from "./reward.js";

export default defineConformance({
  reward: (options, inputs) => {
    const o = completeOptions(DiversityReward, options) as unknown as DiversitySettings;
    const { groupRows } = batchOfCase({ rewards: inputs.rewards, group: inputs.group });
    const result = diversityRewards(inputs as unknown as DiversityFacts, groupRows, o);
    return Object.fromEntries(Object.entries(result).map(([name, values]) => [name, [...values]]));
  },
  regularizer: (options, inputs) => runTerms({ component: LocalEntropy, options }, inputs),
});
