import { definePlugin } from "@proximal/core";
import { TreeAdvantage } from "./advantage.js";
import { TreeSampler } from "./sampler.js";

export { TreeAdvantage } from "./advantage.js";
export { TreeSampler } from "./sampler.js";

export default definePlugin({
  slug: "treepo",
  title: "TreePO: tree-structured rollouts with tree advantages",
  paper: {
    title: "TreePO: Bridging the Gap of Policy Optimization and Efficacy and Inference Efficiency with Heuristic Tree-based Modeling",
    year: 2025,
    arxiv: "2508.17445",
  },
  provenance: "official code (rollout routine and advantage) and abstract read",
  components: [TreeSampler, TreeAdvantage],
  algorithms: {
    treepo: {
      description: "Tree rollouts, advantages averaged over subtrees, dual clip, token mean",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "treepo" },
        advantage: { use: "treepo" },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.28, dualClip: 10 },
      },
    },
  },
});
