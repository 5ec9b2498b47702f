import { type Composition, definePlugin } from "@proximal/core";
import { ReinforceAdvantage } from "./advantage.js";
import { ReinforceGate } from "./gate.js";

export { ReinforceAdvantage } from "./advantage.js";
export { ReinforceGate } from "./gate.js";

/** Without groups every response has its own prompt. */
const single = { use: "independent", groupSize: 1, promptsPerStep: 64 };
const clip = { use: "reinforce", clipLow: 0.2, clipHigh: 0.2 };

const algorithm = (description: string, compose: Composition) => ({ description, aggregation: "token-mean", compose });

export default definePlugin({
  slug: "reinforce",
  title: "REINFORCE, REINFORCE++ and REINFORCE++-baseline",
  paper: {
    title: "REINFORCE++: A Simple and Efficient Approach for Aligning Large Language Models",
    year: 2025,
    arxiv: "2501.03262",
  },
  provenance: "verl's implementations read; REINFORCE itself is Williams 1992",
  reconstructed: ["the moving-average baseline (baseline: ema) is textbook practice"],
  components: [ReinforceAdvantage, ReinforceGate],
  algorithms: {
    reinforce: algorithm("Score-function gradient with the batch's mean reward as baseline", {
      sampler: single,
      advantage: { use: "reinforce" },
      gate: { use: "reinforce" },
    }),
    "reinforce@ema": algorithm("Score-function gradient with a moving mean of the rewards as baseline", {
      sampler: single,
      advantage: { use: "reinforce", baseline: "ema" },
      gate: { use: "reinforce" },
    }),
    "reinforce++": algorithm("No baseline, KL in the token rewards, advantages whitened over all tokens, clipped ratios", {
      sampler: single,
      advantage: { use: "reinforce", baseline: "none", klCoef: 0.01, whiten: "tokens" },
      gate: clip,
    }),
    "reinforce++-baseline": algorithm("Group mean as baseline, whitened over all tokens, clipped ratios, k2 KL in the loss", {
      sampler: { use: "independent", groupSize: 8 },
      advantage: { use: "reinforce", baseline: "groupMean", whiten: "tokens" },
      gate: clip,
      regularizers: [{ use: "kl", klEstimator: "k2", coefficient: 0.01 }],
    }),
  },
});
