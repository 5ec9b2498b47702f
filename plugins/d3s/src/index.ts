import { definePlugin } from "@proximal/core";
import { D3sAdvantage } from "./advantage.js";

export { D3sAdvantage } from "./advantage.js";

export default definePlugin({
  slug: "d3s",
  title: "D3S: Dynamic Dual-Level Down-Sampling",
  paper: {
    title: "Learning More with Less: A Dynamic Dual-Level Down-Sampling Framework for Efficient Policy Optimization",
    authors: "Wang et al.",
    year: 2025,
    arxiv: "2509.22115",
  },
  provenance: "a formula-level review of the paper and its abstract read",
  reconstructed: [
    "ties and counts of the selections",
    "std and its eps",
    "loss divided by the number of kept tokens",
    "numbers of the schedule",
  ],
  components: [D3sAdvantage],
  algorithms: {
    d3s: {
      description: "GRPO on the half of the responses and tokens that say most, growing to all of them over 100 steps",
      aggregation: "token-mean",
      compose: { sampler: { use: "independent", groupSize: 8 }, advantage: { use: "d3s" }, gate: { use: "clip" } },
    },
  },
});
