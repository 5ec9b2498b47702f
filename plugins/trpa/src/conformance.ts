import { defineConformance, defineExamples, runReward, runTerms } from "@proximal/core";
import { PreferenceObjective } from "./objective.js";
import { PreferenceLevelReward } from "./reward.js";

const specs = { preferenceLevel: { at: "row", dtype: "i32" }, parsed: { at: "row", dtype: "f64" } } as const;

export default defineConformance({
  objective: (options, inputs) => runTerms({ component: PreferenceObjective, options }, inputs, { specs }),
  reward: (options, inputs) => runReward(PreferenceLevelReward, options, inputs, { specs }),
});

export const examples = defineExamples({
  completions: ["<think>6·7</think><answer>42</answer>", "<think>?</think><answer>8</answer>", "<think>?</think><answer></answer>"],
});
