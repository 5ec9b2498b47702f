import { completeOptions, defineConformance, defineExamples } from "@proximal/core";
import { type GuiAction, type GuiWeights, judgedReward, operationReward } from "./action.js";
import { currentStage, eligibleTasks, type StageOptions, stageOf } from "./curriculum.js";
import { GuiReward, UNDERSTANDING } from "./reward.js";
import { CurriculumSampler } from "./sampler.js";

interface GuiSample {
  taskKind: string;
  format: number;
  predicted?: GuiAction | null;
  reference?: GuiAction;
  judgeScore?: number;
}

export default defineConformance({
  reward: (options, inputs) => {
    const o = completeOptions(GuiReward, options) as unknown as GuiWeights;
    return {
      rewards: (inputs.guiSamples as GuiSample[]).map(({ taskKind, format, predicted, reference, judgeScore }) =>
        taskKind === UNDERSTANDING
          ? o.formatWeight * format + judgedReward(format, judgeScore ?? 0, o)
          : operationReward(format, predicted, reference!, o),
      ),
    };
  },
  sampler: (options, { trajectorySteps, taskKind, step }) => {
    const o = completeOptions(CurriculumSampler, options) as unknown as StageOptions;
    const kinds = taskKind as string[];
    const stage = (trajectorySteps as number[]).map((steps, i) => stageOf(steps, kinds[i] === UNDERSTANDING, o));
    const current = currentStage(step as number, o);
    return { stage, currentStage: current, eligible: eligibleTasks(stage, current, o.cumulative) };
  },
});

export const examples = defineExamples({
  fields: { trajectorySteps: 5, taskKind: "operation" },
  columns: (batch) => ({
    taskKind: Array.from({ length: batch.rows }, (_, row) => (row % 3 === 2 ? UNDERSTANDING : "operation")),
    reference: Array.from({ length: batch.rows }, () => ({ type: "click", box: [0, 0, 2, 2] })),
  }),
  completions: ['<action>{"type":"click","point":[1,1]}</action>', '<action>{"type":"scroll"}</action>', "<answer>a dialog</answer>"],
});
