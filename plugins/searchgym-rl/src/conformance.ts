import { completeOptions, defineConformance, defineExamples, GroupNormalizedAdvantage, runAdvantage } from "@proximal/core";
import { advance, eligibleQuestions, type Progress, type StageHops } from "./curriculum.js";
import { searchReward } from "./match.js";
import { SearchReward } from "./reward.js";
import { SearchSampler } from "./sampler.js";

export default defineConformance({
  reward: async (options, { predictions, golds, format, group }) => {
    const o = completeOptions(SearchReward, options) as { metric: string; formatPenalty: number };
    const rewards = (predictions as string[]).map((prediction, row) =>
      searchReward(prediction, (golds as string[][])[row]!, (format as number[])[row]!, o),
    );
    return { rewards, ...(await runAdvantage(GroupNormalizedAdvantage, { stdEps: 1e-6 }, { rewards, group })) };
  },
  sampler: (options, inputs) => {
    const o = completeOptions(SearchSampler, options) as { stageHops: StageHops; window: number; promoteAt: number };
    let state = (inputs.state as Progress | undefined) ?? { stage: 0, recent: [] };
    const stageAfterEach = (inputs.stepSuccessRate as number[]).map((success) => {
      state = advance(state, success, o);
      return state.stage;
    });
    return { stageAfterEach, eligible: eligibleQuestions(inputs.hops as number[], state.stage, o.stageHops), state };
  },
});

export const examples = defineExamples({ fields: { hops: 1 } });
