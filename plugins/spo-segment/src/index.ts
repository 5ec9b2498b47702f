import { definePlugin } from "@proximal/core";
import { ChainAdvantage } from "./chain-advantage.js";
import { ChainSampler } from "./chain-sampler.js";
import { SegmentGate } from "./gate.js";
import { TreeAdvantage } from "./tree-advantage.js";
import { TreeSampler } from "./tree-sampler.js";

export { ChainAdvantage } from "./chain-advantage.js";
export { ChainSampler } from "./chain-sampler.js";
export { SegmentGate } from "./gate.js";
export { TreeAdvantage } from "./tree-advantage.js";
export { TreeSampler } from "./tree-sampler.js";

export default definePlugin({
  slug: "spo-segment",
  title: "SPO: Segment Policy Optimization",
  paper: {
    title: "Segment Policy Optimization: Effective Segment-Level Credit Assignment in RL for Large Language Models",
    year: 2025,
    arxiv: "2505.23564",
  },
  provenance: "official code read (AIFrameResearch/SPO: episode generators, loss, configs)",
  components: [ChainSampler, TreeSampler, ChainAdvantage, TreeAdvantage, SegmentGate],
  algorithms: {
    "spo-segment": {
      description: "SPO-chain: Monte Carlo values at cuts before uncertain tokens; trains on uncertain tokens alone",
      aggregation: "token-mean",
      compose: { sampler: { use: "spo-chain" }, advantage: { use: "spo-chain" }, gate: { use: "spo-segment" } },
    },
    "spo-segment@tree": {
      description: "SPO-tree: every segment of a tree of rollouts is compared with its parent",
      aggregation: "token-mean",
      compose: { sampler: { use: "spo-tree" }, advantage: { use: "spo-tree" }, gate: { use: "spo-segment" } },
    },
  },
});
