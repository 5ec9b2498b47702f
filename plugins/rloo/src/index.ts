import { definePlugin } from "@proximal/core";
import { RlooAdvantage } from "./advantage.js";
import { RlooGate } from "./gate.js";

export { RlooAdvantage } from "./advantage.js";
export { RlooGate } from "./gate.js";

export default definePlugin({
  slug: "rloo",
  title: "RLOO: REINFORCE Leave-One-Out",
  paper: {
    title: "Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human Feedback in LLMs",
    year: 2024,
    arxiv: "2402.14740",
  },
  provenance: "TRL and verl implementations read",
  components: [RlooAdvantage, RlooGate],
  algorithms: {
    rloo: {
      description: "Leave-one-out advantages with the KL in the reward, clipped ratio of the whole response",
      aggregation: "seq-mean-token-mean",
      compose: { sampler: { use: "independent", groupSize: 2 }, advantage: { use: "rloo" }, gate: { use: "rloo" } },
    },
    "rloo@paper": {
      description: "RLOO with four responses a prompt and a KL of weight 0.03",
      aggregation: "seq-mean-token-mean",
      compose: { sampler: { use: "independent", groupSize: 4 }, advantage: { use: "rloo", klCoef: 0.03 }, gate: { use: "rloo" } },
    },
  },
});
