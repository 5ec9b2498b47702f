import { definePlugin } from "@proximal/core";
import { SearchReward } from "./reward.js";
import { SearchSampler } from "./sampler.js";

export { advance, eligibleQuestions } from "./curriculum.js";
export { answerScore, searchReward } from "./match.js";
export { SearchReward } from "./reward.js";
export { SearchSampler } from "./sampler.js";

export default definePlugin({
  slug: "searchgym-rl",
  title: "SearchGym-RL: curriculum reinforcement learning of search agents",
  paper: {
    title: "SearchGym: Bootstrapping Real-World Search Agents via Cost-Effective and High-Fidelity Environment Simulation",
    year: 2026,
    arxiv: "2601.14615",
  },
  provenance: "abstract and the opening parts of three third-party summaries read; the official code was not",
  reconstructed: ["all formulas, thresholds and weights: answer matching, format penalty, stages, promotion test, advantage"],
  components: [SearchSampler, SearchReward],
  algorithms: {
    "searchgym-rl": {
      description: "GRPO on questions of growing numbers of hops, rewarded by token F1 of the final answer",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "searchgym-rl" },
        rewards: [{ use: "searchgym-rl" }],
        advantage: { use: "group-normalized", stdEps: 1e-6 },
        gate: { use: "clip" },
      },
    },
  },
});
