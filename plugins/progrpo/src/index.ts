import { definePlugin } from "@proximal/core";
import { ProgrpoAdvantage } from "./advantage.js";

export { ProgrpoAdvantage } from "./advantage.js";

export default definePlugin({
  slug: "progrpo",
  title: "ProGRPO: advantage re-weighting by generative probabilities",
  paper: {
    title: "Back to Basics: Revisiting Exploration in Reinforcement Learning for LLM Reasoning via Generative Probabilities",
    authors: "Li, Goncharova, Kuznetsov, Oseledets",
    year: 2026,
    arxiv: "2602.05281",
  },
  provenance: "two formula-level reviews of the paper and its abstract read; no code found",
  reconstructed: ["prompt confidence over the low-probability tokens", "stdEps and the kind of std", "value of alpha"],
  components: [ProgrpoAdvantage],
  algorithms: {
    progrpo: {
      description: "GRPO that pushes confident responses down and hesitant ones up, clip 0.8 to 1.28",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "progrpo" },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.28 },
      },
    },
  },
});
