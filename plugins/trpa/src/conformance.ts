import { defineConformance, runReward, runTerms } from "@proximal/core";
import { PreferenceObjective } from "./objective.js";
import { PreferenceLevelReward } from "./reward.js";

const specs = { preferenceLevel: { at: "row", dtype: "i32" }, parsed: { at: "row", dtype: "f64" } } as const;

export default defineConformance({
  objective: (options, inputs) => runTerms({ component: PreferenceObjective, options }, inputs, { specs }),
  reward: (options, inputs) => runReward(PreferenceLevelReward, options, inputs, { specs }),
});
