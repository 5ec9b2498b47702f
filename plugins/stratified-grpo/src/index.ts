import { definePlugin } from "@proximal/core";
import { StratifiedAdvantage } from "./advantage.js";

export { StratifiedAdvantage } from "./advantage.js";

export default definePlugin({
  slug: "stratified-grpo",
  title: "Stratified GRPO: Stratified Advantage Normalization",
  paper: {
    title: "Stratified GRPO: Handling Structural Heterogeneity in Reinforcement Learning of LLM Search Agents",
    authors: "Zhu et al.",
    year: 2025,
    arxiv: "2510.06214",
  },
  provenance: "a formula-level review, summaries, a third-party advantage function and the abstract read",
  reconstructed: ["population std and its guard", "clip gate and KL of the composition"],
  components: [StratifiedAdvantage],
  algorithms: {
    "stratified-grpo": {
      description: "GRPO that compares responses mostly with those of equal structure; rows carry a column `stratum`",
      aggregation: "seq-mean-token-mean",
      compose: { sampler: { use: "independent", groupSize: 8 }, advantage: { use: "stratified-grpo" }, gate: { use: "clip" } },
    },
  },
});
