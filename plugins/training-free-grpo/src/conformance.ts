import { completeOptions, defineConformance } from "@proximal/core";
import { type Experience, editLibrary, hasContrast, type Operation } from "./library.js";
import { TrainingFreeSampler } from "./sampler.js";

export default defineConformance({
  "sampler/contrast": (options, inputs) => {
    const { givenGroundTruth } = completeOptions(TrainingFreeSampler, options) as { givenGroundTruth: boolean };
    return { keepGroups: (inputs.rewardsByPrompt as number[][]).map((rewards) => hasContrast(rewards, givenGroundTruth)) };
  },
  "sampler/edit-library": (_, inputs) => ({
    experiences: editLibrary(inputs.experiences as Experience[], inputs.operations as Operation[]),
  }),
});
