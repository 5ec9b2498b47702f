import { definePlugin } from "@proximal/core";
import { DapoGate } from "./gate.js";
import { OverlongReward } from "./overlong.js";
import { DapoSampler } from "./sampler.js";

export { DapoGate } from "./gate.js";
export { OverlongReward, overlongPunishment } from "./overlong.js";
export { DapoSampler } from "./sampler.js";

export default definePlugin({
  slug: "dapo",
  title: "DAPO: Decoupled Clip and Dynamic sAmpling Policy Optimization",
  paper: { title: "DAPO: An Open-Source LLM Reinforcement Learning System at Scale", year: 2025, arxiv: "2503.14476" },
  provenance: "verl's recipe and reward manager read, and TRL",
  components: [DapoSampler, OverlongReward, DapoGate],
  algorithms: {
    dapo: {
      description: "GRPO with clip-higher, the token mean and groups that always carry a signal",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "dapo", groupSize: 8, targetGroups: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "dapo" },
      },
    },
  },
});
