import { definePlugin } from "@proximal/core";
import { VotingAdvantage } from "./advantage.js";
import { EvolReward } from "./reward.js";

export { VotingAdvantage } from "./advantage.js";
export { EvolReward } from "./reward.js";

export default definePlugin({
  slug: "evol-rl",
  title: "EVOL-RL: majority selects, novelty varies, without labels",
  paper: { title: "Evolving Language Models without Labels: Majority Drives Selection, Novelty Promotes Variation", year: 2025 },
  provenance: "official code and published command read",
  components: [EvolReward, VotingAdvantage],
  algorithms: {
    "evol-rl": {
      description: "Label-free GRPO: 64 votes a prompt, the first 32 trained on, clip-higher, entropy bonus, small k3 KL",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 64 },
        rewards: [{ use: "evol-rl" }],
        advantage: { use: "evol-rl", nTrain: 32 },
        gate: { use: "clip", clipLow: 0.2, clipHigh: 0.28 },
        regularizers: [
          { use: "entropy", coefficient: 0.003 },
          { use: "kl", klEstimator: "k3", coefficient: 0.001 },
        ],
      },
    },
  },
});
