import { definePlugin } from "@proximal/core";
import { BnpoAdvantage } from "./advantage.js";

export { BnpoAdvantage } from "./advantage.js";

export default definePlugin({
  slug: "bnpo",
  title: "BNPO: Beta Normalization Policy Optimization",
  paper: { title: "BNPO: Beta Normalization Policy Optimization", authors: "Xiao, Zhang, Cao", year: 2025, arxiv: "2506.02864" },
  provenance: "official code read (estimator, reward manager, launch script); theory from a summary and the abstract",
  components: [BnpoAdvantage],
  algorithms: {
    bnpo: {
      description: "Beta-normalised advantages, asymmetric dual clip, mean over sequences of the token sum",
      aggregation: "seq-mean-token-sum",
      compose: {
        sampler: { use: "independent", groupSize: 16 },
        advantage: { use: "bnpo" },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.28, dualClip: 10 },
      },
    },
  },
});
