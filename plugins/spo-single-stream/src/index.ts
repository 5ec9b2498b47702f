import { definePlugin } from "@proximal/core";
import { SpoAdvantage } from "./advantage.js";
import { SpoSampler } from "./sampler.js";

export { SpoAdvantage } from "./advantage.js";
export { SpoSampler } from "./sampler.js";

export default definePlugin({
  slug: "spo-single-stream",
  title: "SPO: Single-stream Policy Optimization",
  paper: { title: "Single-stream Policy Optimization", authors: "Xu, Ding", year: 2025, arxiv: "2509.13232" },
  provenance: "the authors' recipe in verl read (trainer, config, launch script); the paper in abstract and summary",
  components: [SpoSampler, SpoAdvantage],
  algorithms: {
    "spo-single-stream": {
      description: "One response a prompt, a running value per prompt as baseline, prompts drawn by uncertainty",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "spo-single-stream" },
        advantage: { use: "spo-single-stream" },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.28, dualClip: 10 },
      },
    },
  },
});
