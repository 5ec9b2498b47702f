import { definePlugin } from "@proximal/core";
import { RiskAdvantage } from "./advantage.js";

export { RiskAdvantage } from "./advantage.js";

export default definePlugin({
  slug: "riskpo",
  title: "RiskPO: Risk-based Policy Optimization",
  paper: {
    title: "RiskPO: Risk-based Policy Optimization via Verifiable Reward for LLM Post-Training",
    authors: "Ren, Jiang et al.",
    year: 2025,
    arxiv: "2510.00911",
  },
  provenance: "official code read (estimator, trainer, scripts); theory from the abstract",
  components: [RiskAdvantage],
  algorithms: {
    riskpo: {
      description: "Mixed value at risk over bundles of five questions, token clip, no KL",
      aggregation: "seq-mean-token-mean",
      compose: { sampler: { use: "independent", groupSize: 10 }, advantage: { use: "riskpo" }, gate: { use: "clip" } },
    },
  },
});
