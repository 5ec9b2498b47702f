import { definePlugin } from "@proximal/core";
import { XrpoAdvantage } from "./advantage.js";
import { XrpoSampler } from "./sampler.js";

export { XrpoAdvantage } from "./advantage.js";
export { allocatePhase } from "./allocator.js";
export { XrpoSampler } from "./sampler.js";

export default definePlugin({
  slug: "xrpo",
  title: "XRPO: Explore-Exploit GRPO",
  paper: { title: "XRPO: Pushing the limits of GRPO with Targeted Exploration and Exploitation", year: 2025, arxiv: "2510.06672" },
  provenance: "a secondary implementation's formulas and four public reviews read; neither code nor paper body",
  reconstructed: [
    "total of the exploration bonus",
    "std re-estimated between phases only",
    "seeded responses trained on the plain prompt",
    "stdEps",
    "similarity of questions",
    "equal budgets of the phases",
  ],
  components: [XrpoSampler, XrpoAdvantage],
  algorithms: {
    xrpo: {
      description: "GRPO with responses allocated in phases, examples for hopeless prompts, novelty-sharpened advantages",
      aggregation: "token-mean",
      compose: { sampler: { use: "xrpo" }, advantage: { use: "xrpo" }, gate: { use: "clip" } },
    },
  },
});
