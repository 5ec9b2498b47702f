import { definePlugin } from "@proximal/core";
import { CliffEntropy } from "./regularizer.js";
import { CliffDiagnostic } from "./reward.js";

export { isDegenerate } from "./degeneracy.js";
export { CliffEntropy } from "./regularizer.js";
export { CliffDiagnostic } from "./reward.js";
export { actionValues, compareRewards, optimalActions, softMaximum, softPolicy, stabilityBound } from "./stability.js";

export default definePlugin({
  slug: "policy-cliff",
  title: "The policy cliff: stability of reward-policy maps",
  paper: {
    title: "The Policy Cliff: A Theoretical Analysis of Reward-Policy Maps in Large Language Models",
    year: 2025,
    arxiv: "2507.20150",
  },
  provenance:
    "source of the paper read: sections on several rewards and on entropy, summary of the rest; theory without a training algorithm",
  reconstructed: ["the diagnostic for language models and the algorithm: GRPO with the entropy bonus of the theory"],
  components: [CliffEntropy, CliffDiagnostic],
  algorithms: {
    "policy-cliff": {
      description: "GRPO with an entropy bonus, and a report of prompts whose best reward is shared by different answers",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "policy-cliff", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
        regularizers: [{ use: "policy-cliff" }],
      },
    },
  },
});
