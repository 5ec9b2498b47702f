import { completeOptions, defineConformance, defineExamples, runTerms } from "@proximal/core";
import { CadGate } from "./gate.js";
import { type CadFacts, CadReward, type CadRewardOptions, cadReward } from "./reward.js";

export default defineConformance({
  gate: ({ heavyWeight: _weighed, ...options }, inputs) => runTerms({ component: CadGate, options }, inputs),
  reward: (options, inputs) => {
    const o = completeOptions(CadReward, options) as unknown as CadRewardOptions;
    const { executes, iou, evalScore, failures } = inputs as unknown as Record<keyof CadFacts, number[]>;
    return {
      rewards: executes.map((runs, row) =>
        cadReward({ executes: runs, iou: iou[row]!, evalScore: evalScore[row]!, failures: failures[row]! }, o),
      ),
    };
  },
});

export const examples = defineExamples({ inner: ["executes", "iou"] });
