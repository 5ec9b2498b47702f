import { completeOptions, defineConformance } from "@proximal/core";
import { type KnownCalls, type OtcFacts, type OtcOptions, OtcReward, otcRewards } from "./reward.js";

export default defineConformance({
  reward: (options, inputs) => {
    const o = completeOptions(OtcReward, options) as unknown as OtcOptions;
    const group = inputs.group as number[];
    const rowsOf = (g: number) => [...group.keys()].filter((row) => group[row] === g);
    const groups = (inputs.prompts as string[]).map((prompt, g) => ({ prompt, rows: rowsOf(g) }));
    const { rewards, calls } = otcRewards(groups, inputs as unknown as OtcFacts, (inputs.state ?? {}) as KnownCalls, o);
    return { rewards: [...rewards], state: calls };
  },
});
