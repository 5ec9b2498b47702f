import { type Composition, definePlugin } from "@proximal/core";
import { TpAdvantage } from "./advantage.js";
import { TpJudgeSampler, TpSampler } from "./sampler.js";

export { TpAdvantage } from "./advantage.js";
export { TpJudgeSampler, TpSampler } from "./sampler.js";

const compose = (sampler: string): Composition => ({
  sampler: { use: sampler },
  advantage: { use: "tp-grpo" },
  gate: { use: "clip" },
  regularizers: [{ use: "kl", klEstimator: "k3", coefficient: 0.001 }],
});

export default definePlugin({
  slug: "tp-grpo",
  title: "TP-GRPO: thought-level process rewards from a generative evaluator",
  paper: {
    title: "Good Learners Think Their Thinking: Generative PRM Makes Large Reasoning Model More Efficient Math Learner",
    year: 2025,
    arxiv: "2507.23317",
  },
  provenance: "a note on the ICLR version with formulas and two propositions, and its public reviews; the code could not be obtained",
  reconstructed: [
    "merging of steps, such that both propositions hold",
    "std of the group and its eps",
    "the evaluator: labels from reflections and answer matches, or one question a step to a judge",
    "weight of the KL term",
  ],
  components: [TpAdvantage, TpSampler, TpJudgeSampler],
  algorithms: {
    "tp-grpo": {
      description: "GRPO with credit by thoughts, labelled from the text; one round of samples serves 50 steps",
      aggregation: "seq-mean-token-mean",
      compose: compose("tp-grpo"),
    },
    "tp-grpo@judge": {
      description: "The same with labels from a judge",
      aggregation: "seq-mean-token-mean",
      compose: compose("tp-grpo-judge"),
    },
  },
});
