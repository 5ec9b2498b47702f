import { definePlugin } from "@proximal/core";
import { JudgedWirelessReward } from "./judged-reward.js";
import { WirelessReward } from "./reward.js";

export { JudgedWirelessReward } from "./judged-reward.js";
export { WirelessReward, wirelessReward } from "./reward.js";

export default definePlugin({
  slug: "wireless-math",
  title: "WirelessMathLM: verifiable rewards for wireless mathematics",
  paper: {
    title: "WirelessMathLM: Teaching Mathematical Reasoning for LLMs in Wireless Communications with Reinforcement Learning",
    year: 2025,
    arxiv: "2509.23219",
  },
  provenance: "method section of the paper and its reviews read; no code was published",
  reconstructed: ["the eps and the sample std of the advantage", "the ratio a token instead of a response, as in the host framework"],
  components: [WirelessReward, JudgedWirelessReward],
  algorithms: {
    "wireless-math": {
      description: "GRPO from a base model with a small format reward, groups of 8, KL of weight 0.01",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        rewards: [{ use: "wireless-math", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", stdEps: 1e-6, groupOfOne: "raw-scaled" },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.01 }],
      },
    },
  },
});
