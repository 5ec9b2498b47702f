import { definePlugin } from "@proximal/core";
import { GhpoSampler } from "./sampler.js";

export { hintLength, refineGroups } from "./refine.js";
export { GhpoSampler } from "./sampler.js";

export default definePlugin({
  slug: "ghpo",
  title: "GHPO: Guided Hybrid Policy Optimization",
  paper: { title: "GHPO: Adaptive Guidance for Stable and Efficient LLM Reinforcement Learning", year: 2025, arxiv: "2507.10628" },
  provenance: "official code read; abstract and short summaries read",
  components: [GhpoSampler],
  algorithms: {
    ghpo: {
      description: "GRPO whose failed groups are sampled anew behind a growing part of the reference solution",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "ghpo", groupSize: 8 },
        advantage: { use: "group-normalized", stdEps: 1e-4 },
        gate: { use: "clip" },
      },
    },
  },
});
