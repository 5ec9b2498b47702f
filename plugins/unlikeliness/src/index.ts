import { definePlugin } from "@proximal/core";
import { MixedGroupAdvantage } from "./advantage.js";
import { UnlikelinessReward } from "./reward.js";

export { MixedGroupAdvantage } from "./advantage.js";
export { UnlikelinessReward } from "./reward.js";

export default definePlugin({
  slug: "unlikeliness",
  title: "Unlikeliness reward: Rewarding the Unlikely",
  paper: { title: "Rewarding the Unlikely: Lifting GRPO Beyond Distribution Sharpening", year: 2025 },
  provenance: "official code read; vectors follow it where the paper's formula differs by one rank",
  components: [UnlikelinessReward, MixedGroupAdvantage],
  algorithms: {
    unlikeliness: {
      description: "GRPO whose reward favours correct responses that the policy finds unlikely; two epochs, k3 KL of weight 0.1",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 32 },
        rewards: [{ use: "unlikeliness", inner: [{ use: "exact-match" }] }],
        advantage: { use: "unlikeliness" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.1 }],
        trainer: { epochs: 2 },
      },
    },
  },
});
