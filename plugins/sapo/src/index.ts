import { definePlugin } from "@proximal/core";
import { SapoGate } from "./gate.js";

export { SapoGate } from "./gate.js";

export default definePlugin({
  slug: "sapo",
  title: "SAPO: Soft Adaptive Policy Optimization",
  paper: { title: "Soft Adaptive Policy Optimization", year: 2025, arxiv: "2511.20347" },
  provenance: "TRL and verl implementations read, which agree",
  components: [SapoGate],
  algorithms: {
    sapo: {
      description: "GRPO's advantage with SAPO's soft gate",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "sapo" },
      },
    },
  },
});
