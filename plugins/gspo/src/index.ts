import { definePlugin } from "@proximal/core";
import { GspoGate } from "./gate.js";

export { GspoGate } from "./gate.js";

const algorithm = (description: string, variant: "sequence" | "token") => ({
  description,
  aggregation: "seq-mean-token-mean",
  compose: {
    sampler: { use: "independent", groupSize: 8 },
    advantage: { use: "group-normalized" },
    gate: { use: "gspo", variant },
    trainer: { miniBatches: 4 },
  },
});

export default definePlugin({
  slug: "gspo",
  title: "GSPO and GSPO-token: Group Sequence Policy Optimization",
  paper: { title: "Group Sequence Policy Optimization", year: 2025, arxiv: "2507.18071" },
  provenance: "TRL and verl implementations read",
  components: [GspoGate],
  algorithms: {
    gspo: algorithm("GRPO's advantage, one length-normalised ratio a response, four updates a batch", "sequence"),
    "gspo-token": algorithm("GSPO whose terms belong to tokens, for advantages that differ by token", "token"),
  },
});
