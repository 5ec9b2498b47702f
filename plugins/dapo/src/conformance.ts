import { batchOfCase, clipTerms, defineConformance, defineExamples, firstKept, runReward, runTerms, varyingGroups } from "@proximal/core";
import { DapoGate } from "./gate.js";
import { OverlongReward } from "./overlong.js";

export default defineConformance({
  gate: (options, inputs) => runTerms(clipTerms(options, { aggregation: "token-mean" }, DapoGate), inputs),
  reward: (options, { rewards, ...inputs }) => {
    const inner = { rewards: (rewards as (number | null)[]).map((reward) => reward ?? Number.NaN) };
    return runReward(OverlongReward, options, inputs, { inner });
  },
  sampler: ({ targetGroups = 512 }, inputs) => {
    const { groupRows, group } = batchOfCase(inputs);
    const metric = (inputs.metric as (number | null)[]).map((value) => value ?? Number.NaN);
    const kept = firstKept(varyingGroups(metric, groupRows), Number(targetGroups));
    const ids = inputs.group as number[];
    return {
      keptGroups: kept.map((g) => ids[groupRows[g]![0]!]),
      keep: Array.from(group, (g) => kept.includes(g)),
      needMore: kept.length < Number(targetGroups),
    };
  },
});

export const examples = defineExamples({ options: { "sampler:dapo": [{ groupSize: 4, targetGroups: 4 }] } });
