import { definePlugin } from "@proximal/core";
import { AdaptiveReward } from "./reward.js";
import { ModeSampler } from "./sampler.js";

export { adaptiveRewards } from "./adaptive.js";
export { modeOf, rolloutPlan } from "./modes.js";
export { AdaptiveReward } from "./reward.js";
export { ModeSampler } from "./sampler.js";

export default definePlugin({
  slug: "apo-a2fm",
  title: "APO: adaptive policy optimization over modes of answering",
  paper: {
    title: "A²FM: An Adaptive Agent Foundation Model for Tool-Aware Hybrid Reasoning",
    year: 2025,
    arxiv: "2510.12838",
  },
  provenance: "a detailed third-party note and three shorter summaries with formulas read; the official repository holds no training code",
  reconstructed: [
    "value of the easy threshold",
    "eps and sample std of the advantage",
    "the adaptive factor applies to forced rollouts too",
    "spelling of the mode tags",
  ],
  components: [ModeSampler, AdaptiveReward],
  algorithms: {
    "apo-a2fm": {
      description: "Each prompt in every mode and adaptively; expensive modes earn less where the cheap one succeeds; no KL",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "apo-a2fm" },
        rewards: [{ use: "apo-a2fm", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", stdEps: 1e-6, groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
      },
    },
  },
});
