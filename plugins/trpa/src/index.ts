import { definePlugin } from "@proximal/core";
import { PreferenceObjective } from "./objective.js";
import { PreferenceLevelReward } from "./reward.js";

export { PreferenceObjective } from "./objective.js";
export { PreferenceLevelReward } from "./reward.js";

export default definePlugin({
  slug: "trpa",
  title: "TRPA: Trust Region Preference Approximation",
  paper: {
    title: "Trust Region Preference Approximation: A simple and stable reinforcement learning algorithm for LLM reasoning",
    year: 2025,
    arxiv: "2504.04524",
  },
  provenance: "official code read (loss, actor update, launch script, reward rules)",
  components: [PreferenceLevelReward, PreferenceObjective],
  algorithms: {
    trpa: {
      description: "Rule-based preference levels, all pairs of a group across levels, KL to the policy that sampled",
      compose: {
        sampler: { use: "independent", groupSize: 16 },
        rewards: [{ use: "trpa" }],
        objective: { use: "trpa" },
      },
    },
  },
});
