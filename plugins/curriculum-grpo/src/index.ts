import { definePlugin } from "@proximal/core";
import { CurriculumReward } from "./reward.js";
import { BudgetSampler } from "./sampler.js";

export { lengthBudget } from "./budget.js";
export { CurriculumReward, curriculumRewards, lengthReward } from "./reward.js";
export { BudgetSampler } from "./sampler.js";
export { hasSpans } from "./spans.js";

export default definePlugin({
  slug: "curriculum-grpo",
  title: "Curriculum GRPO: train long, think short",
  paper: { title: "Train Long, Think Short: Curriculum Learning for Efficient Reasoning", year: 2025, arxiv: "2508.08940" },
  provenance: "paper read; the official code was not",
  reconstructed: ["values of the single rewards and of the format weight", "rounding of the budget in the prompt"],
  components: [CurriculumReward, BudgetSampler],
  algorithms: {
    "curriculum-grpo": {
      description: "GRPO with a token budget that shrinks over the run, in the prompt and in the reward",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "curriculum-grpo", groupSize: 8 },
        rewards: [{ use: "curriculum-grpo", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
