import { definePlugin } from "@proximal/core";
import { GcpoReward } from "./reward.js";
import { ContrastSampler } from "./sampler.js";

export { contrastMask, GcpoReward, gcpoRewards } from "./reward.js";
export { ContrastSampler } from "./sampler.js";

export default definePlugin({
  slug: "gcpo",
  title: "GCPO: group contrastive policy optimization for geometry",
  paper: {
    title: "GeometryZero: Advancing Geometry Solving for LLM with Group Contrastive Policy Optimization",
    year: 2025,
    arxiv: "2506.07160",
  },
  provenance: "abstract, a partial review with eq. 3 and four public peer reviews read; the named repository could not be obtained",
  reconstructed: [
    "composition of the rewards and their weights",
    "shape of the length term",
    "value of the margin, mask 0 where one of the two sets is empty",
    "sample std and eps of the advantage",
    "forced contrast: tag injected in one half, forbidden by the prompt in the other",
  ],
  components: [GcpoReward, ContrastSampler],
  algorithms: {
    gcpo: {
      description: "GRPO whose reward for auxiliary constructions takes the sign of their use within the group",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "gcpo", groupSize: 8 },
        rewards: [{ use: "gcpo", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", stdEps: 1e-6, groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
      },
    },
  },
});
