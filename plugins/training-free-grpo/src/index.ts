import { definePlugin } from "@proximal/core";
import { TrainingFreeSampler } from "./sampler.js";

export { editLibrary, hasContrast } from "./library.js";
export { TrainingFreeSampler } from "./sampler.js";

export default definePlugin({
  slug: "training-free-grpo",
  title: "Training-Free GRPO: experience as a token prior",
  paper: { title: "Training-Free Group Relative Policy Optimization", year: 2025, arxiv: "2510.08191" },
  provenance: "official code read (practice module); abstract read",
  reconstructed: ["wording of the four calls"],
  components: [TrainingFreeSampler],
  algorithms: {
    "training-free-grpo": {
      description: "The policy stays as it is; a library of experiences in front of its prompts is learnt",
      aggregation: "token-mean",
      // A learning rate of 0 leaves the weights alone; with another one library and weights are learnt together.
      compose: {
        sampler: { use: "training-free-grpo" },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
        optimizer: { learningRate: 0 },
      },
    },
  },
});
