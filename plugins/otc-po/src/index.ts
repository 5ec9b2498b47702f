import { definePlugin } from "@proximal/core";
import { OtcReward } from "./reward.js";

export { grpoToolReward, OtcReward, otcRewards } from "./reward.js";

export default definePlugin({
  slug: "otc-po",
  title: "OTC-PO: optimal tool calls",
  paper: { title: "Acting Less is Reasoning More! Teaching Model to Act Efficiently", year: 2025, arxiv: "2504.14870" },
  provenance: "a secondary reward file that restates the equations, independent notes with the same equations, and the abstract read",
  reconstructed: ["default of the smoothing constant: that of the secondary code"],
  components: [OtcReward],
  algorithms: {
    "otc-po": {
      description: "GRPO whose reward is multiplied by the economy of tool calls",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "otc-po", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
