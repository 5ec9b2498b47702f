import { definePlugin } from "@proximal/core";
import { ThymeReward, ThymeRulesReward } from "./reward.js";
import { ThymeSampler } from "./sampler.js";

export { ThymeReward, ThymeRulesReward, totalReward } from "./reward.js";
export { ThymeSampler } from "./sampler.js";
export { segmentsOf, temperatureOf } from "./segments.js";

export default definePlugin({
  slug: "thyme",
  title: "Thyme: GRPO with Adaptive Temperature Sampling",
  paper: { title: "Thyme: Think Beyond Images", year: 2025, arxiv: "2508.11630" },
  provenance: "paper text read (method, reward, ablations); official code read",
  reconstructed: ["maxRounds", "length of the substrings of the repetition guard"],
  components: [ThymeSampler, ThymeReward, ThymeRulesReward],
  algorithms: {
    thyme: {
      description: "GRPO on responses that write and run code: text sampled, code greedy; one update a batch",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "thyme" },
        advantage: { use: "group-normalized", stdEps: 1e-4 },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.001 }],
        optimizer: { learningRate: 5e-7 },
      },
    },
  },
});
