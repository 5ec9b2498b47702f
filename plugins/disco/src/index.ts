import { definePlugin } from "@proximal/core";
import { DiscoObjective } from "./objective.js";

export { DiscoObjective } from "./objective.js";

export default definePlugin({
  slug: "disco",
  title: "DisCO: Discriminative Constrained Optimization",
  paper: {
    title: "DisCO: Reinforcing Large Reasoning Models with Discriminative Constrained Optimization",
    year: 2025,
    arxiv: "2505.12366",
  },
  provenance: "official code read (four losses and training scripts)",
  components: [DiscoObjective],
  algorithms: {
    disco: {
      description: "Log-likelihood scores, positives against the hardest negatives, KL hinge",
      compose: { sampler: { use: "independent", groupSize: 8 }, objective: { use: "disco" } },
    },
    "disco@likelihood-ratio": {
      description: "DisCO on likelihood ratios",
      compose: { sampler: { use: "independent", groupSize: 8 }, objective: { use: "disco", score: "likelihoodRatio" } },
    },
    "disco@basic": {
      description: "DisCO-b: positives against the mean of the negatives",
      compose: { sampler: { use: "independent", groupSize: 8 }, objective: { use: "disco", variant: "basic" } },
    },
  },
});
