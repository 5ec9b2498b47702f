import { definePlugin } from "@proximal/core";
import { GuiJudgeReward, GuiReward } from "./reward.js";
import { CurriculumSampler } from "./sampler.js";

export { argumentScore, judgedReward, operationReward, parseAction } from "./action.js";
export { currentStage, eligibleTasks, stageOf } from "./curriculum.js";
export { GuiJudgeReward, GuiReward } from "./reward.js";
export { CurriculumSampler } from "./sampler.js";

export default definePlugin({
  slug: "craft-gui",
  title: "CRAFT-GUI: curriculum and hybrid rewards for GUI agents",
  paper: { title: "CRAFT-GUI: Curriculum-Reinforced Agent For GUI Tasks", year: 2025, arxiv: "2508.11360" },
  provenance: "abstract read; no public code was found",
  reconstructed: ["every formula, weight and schedule: curriculum stages, action scores, weights of the rewards, advantage and KL"],
  components: [CurriculumSampler, GuiReward, GuiJudgeReward],
  algorithms: {
    "craft-gui": {
      description: "GRPO over GUI steps of growing difficulty; rules for operations, a judge for understanding",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "craft-gui" },
        rewards: [{ use: "craft-gui" }, { use: "craft-gui-judge" }],
        advantage: { use: "group-normalized", stdEps: 1e-6 },
        gate: { use: "clip" },
        regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.01 }],
      },
    },
  },
});
