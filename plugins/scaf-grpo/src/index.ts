import { definePlugin } from "@proximal/core";
import { ScafSampler } from "./sampler.js";

export { repairGroup } from "./repair.js";
export { ScafSampler } from "./sampler.js";

export default definePlugin({
  slug: "scaf-grpo",
  title: "Scaf-GRPO: Scaffolded Group Relative Policy Optimization",
  paper: { title: "Scaf-GRPO: Scaffolded Group Relative Policy Optimization for Enhancing LLM Reasoning", year: 2025, arxiv: "2510.19807" },
  provenance: "official code and abstract read; the paper's schedule of tiers is known only through the code",
  components: [ScafSampler],
  algorithms: {
    "scaf-grpo": {
      description: "GRPO whose hopeless groups are rescued by the smallest sufficient hint",
      aggregation: "token-mean",
      compose: { sampler: { use: "scaf-grpo", groupSize: 8 }, advantage: { use: "group-normalized" }, gate: { use: "clip" } },
    },
  },
});
