import { definePlugin } from "@proximal/core";
import { TempoAdvantage } from "./advantage.js";

export { TempoAdvantage } from "./advantage.js";

export default definePlugin({
  slug: "tempo",
  title: "TEMPO: Tree-Estimated Mean Prefix Value for Policy Optimization",
  paper: {
    title: "Exploiting Tree Structure for Credit Assignment in RL Training of LLMs",
    authors: "Tran, Yao, Yu",
    year: 2025,
    arxiv: "2509.18314",
  },
  provenance: "a third-party implementation, the abstract, summaries and public reviews read",
  reconstructed: ["value of stdEps", "clip gate and its aggregation", "handling of the end of a response"],
  components: [TempoAdvantage],
  algorithms: {
    tempo: {
      description: "GRPO with temporal-difference credit at the tokens where responses of a group part",
      aggregation: "seq-mean-token-mean",
      compose: { sampler: { use: "independent", groupSize: 8 }, advantage: { use: "tempo" }, gate: { use: "clip" } },
    },
  },
});
