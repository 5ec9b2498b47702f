import { definePlugin } from "@proximal/core";
import { LatrSampler } from "./sampler.js";

export { branchStep } from "./branching.js";
export { LatrSampler } from "./sampler.js";
export { treeRollouts } from "./schedule.js";
export { compareBranches } from "./similarity.js";

export default definePlugin({
  slug: "latr",
  title: "LATR: Lookahead Tree-Based Rollouts",
  paper: {
    title: "Lookahead Tree-Based Rollouts for Enhanced Trajectory-Level Exploration in Reinforcement Learning with Verifiable Rewards",
    year: 2025,
    arxiv: "2510.24302",
  },
  provenance: "official code read; abstract read",
  reconstructed: ["children of a removed branch go to its parent", "a copy of a whole response starts afresh"],
  components: [LatrSampler],
  algorithms: {
    latr: {
      description: "GRPO on groups that are partly grown as lookahead-pruned trees",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "latr", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
