import { definePlugin } from "@proximal/core";

export { packedAttention } from "./attention.js";
export { type Packing, packedRows, packing, positionIds, predictorRows, visibleKeys } from "./packing.js";

export default definePlugin({
  slug: "prefix-grouper",
  title: "Prefix Grouper: shared-prefix forward for group training",
  paper: { title: "Prefix Grouper: Efficient GRPO Training through Shared-Prefix Forward", year: 2025, arxiv: "2506.05433" },
  provenance: "technical report and official code read",
  components: [],
  algorithms: {
    "prefix-grouper": {
      description: "GRPO as it is: the engine computes each prompt once for all responses of its group, with the same gradients",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
