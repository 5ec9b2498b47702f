import { definePlugin } from "@proximal/core";
import { FiberGate } from "./gate.js";

export { FiberGate } from "./gate.js";

const fiberpo = (description: string, aggregation: string, variant: string) => ({
  description,
  aggregation,
  compose: {
    sampler: { use: "independent", groupSize: 8 },
    advantage: { use: "group-normalized" },
    gate: { use: "fiberpo", variant },
  },
});

export default definePlugin({
  slug: "fiberpo",
  title: "FiberPO: Fibration Policy Optimization",
  paper: { title: "Fibration Policy Optimization", year: 2026, arxiv: "2603.08239" },
  provenance:
    "two-level objective: the authors' own statement in arXiv 2604.03044, eqs. 1-5; aggregate proximity control: an unofficial PyTorch port; no official code",
  reconstructed: ["the domain variant", "values of the budgets and of logClip"],
  components: [FiberGate],
  algorithms: {
    fiberpo: fiberpo("GRPO's advantage, ratios split into a gated response weight and token fibres", "seq-mean-token-mean", "fiberpo"),
    "fiberpo@apc": fiberpo("GRPO's advantage, one budget of |r - 1| for each response", "token-mean", "apc"),
    "fiberpo@domain": fiberpo("GRPO's advantage, log-ratios clipped by domain, group, response and token", "seq-mean-token-mean", "domain"),
  },
});
