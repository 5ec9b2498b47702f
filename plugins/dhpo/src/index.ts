import { definePlugin } from "@proximal/core";
import { DhpoGate } from "./gate.js";

export { DhpoGate } from "./gate.js";

const algorithm = (description: string, mixing: "entropy" | "average") => ({
  description,
  aggregation: "seq-mean-token-mean",
  compose: {
    sampler: { use: "independent", groupSize: 8 },
    advantage: { use: "group-normalized" },
    gate: { use: "dhpo", mixing },
  },
});

export default definePlugin({
  slug: "dhpo",
  title: "DHPO: Dynamic Hybrid Policy Optimization",
  paper: {
    title: "Orchestrating Tokens and Sequences: Dynamic Hybrid Policy Optimization for RLVR",
    year: 2026,
    arxiv: "2601.05607",
  },
  provenance: "a reader's report of the paper's equations, method section and main table; no code found",
  reconstructed: [
    "the set over which entropies are normalised (the response), its guard 1e-8, and the direction: high entropy leans on the token ratio",
    "where the minimum sits (branchClip)",
    "the gradient through the sequence ratio",
    "the clip widths",
    "the aggregation",
  ],
  components: [DhpoGate],
  algorithms: {
    dhpo: algorithm("GRPO's advantage; token and sequence ratios mixed by the entropy of each token", "entropy"),
    "dhpo@average": algorithm("GRPO's advantage; token and sequence ratios mixed half and half", "average"),
  },
});
