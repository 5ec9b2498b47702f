import { definePlugin } from "@proximal/core";
import { ThrAdvantage } from "./advantage.js";

export { ThrAdvantage } from "./advantage.js";

const algorithm = (description: string, strength: number) => ({
  description,
  aggregation: "seq-mean-token-mean",
  compose: {
    sampler: { use: "independent", groupSize: 8 },
    advantage: { use: "thr", strength },
    gate: { use: "clip" },
    regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 1e-4 }],
  },
});

export default definePlugin({
  slug: "thr",
  title: "THR: Token Hidden Reward",
  paper: {
    title: "Token Hidden Reward: Steering Exploration-Exploitation in Group Relative Deep Reinforcement Learning",
    authors: "Deng, Ren, Li, Gong, Sutherland, Li, Thrampoulidis",
    year: 2025,
    arxiv: "2510.03669",
  },
  provenance: "a detailed note of the paper in two languages and a note on an implementation of its predecessor NTHR; no code found",
  reconstructed: [
    "form of the correctMean threshold",
    "constant of the fixed mode",
    "ids beyond the likeliest candidates count as probability 0",
  ],
  components: [ThrAdvantage],
  algorithms: {
    thr: algorithm("GRPO on the tokens that move the correct responses, leaning to exploitation (strength 0.1)", 0.1),
    "thr@exploration": algorithm("The same leaning to exploration (strength -0.1)", -0.1),
  },
});
