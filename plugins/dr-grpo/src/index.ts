import { definePlugin } from "@proximal/core";

export default definePlugin({
  slug: "dr-grpo",
  title: "Dr. GRPO: GRPO done right",
  paper: { title: "Understanding R1-Zero-Like Training: A Critical Perspective", authors: "Liu et al.", year: 2025, arxiv: "2503.20783" },
  provenance: "TRL and verl implementations read",
  components: [],
  algorithms: {
    "dr-grpo": {
      description: "Centred rewards without a std, token sums divided by the longest response of the run",
      aggregation: "seq-mean-token-sum-norm",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "group-normalized", scale: "none", stdEps: 0 },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.2 },
      },
    },
  },
});
