import { type Composition, definePlugin } from "@proximal/core";
import { EpoRegularizer } from "./regularizer.js";

export { EpoRegularizer } from "./regularizer.js";

const compose = (epo: object): Composition => ({
  sampler: { use: "independent", groupSize: 8 },
  advantage: { use: "group-normalized" },
  gate: { use: "clip" },
  regularizers: [{ use: "epo", ...epo }],
});

export default definePlugin({
  slug: "epo",
  title: "EPO: Entropy-regularized Policy Optimization",
  paper: {
    title: "EPO: Entropy-regularized Policy Optimization for LLM Agents Reinforcement Learning",
    authors: "Xu et al.",
    year: 2025,
    arxiv: "2509.22576",
  },
  provenance: "official code read (actor update, config, commands)",
  reconstructed: ["form: hinge, the differentiable penalty", "a turn beyond the history has h = 0"],
  components: [EpoRegularizer],
  algorithms: {
    epo: {
      description: "GRPO with EPO's entropy term, the defaults of its code",
      aggregation: "token-mean",
      compose: compose({}),
    },
    "epo@scienceworld": {
      description: "GRPO with EPO's entropy term, the numbers of its ScienceWorld run",
      aggregation: "token-mean",
      compose: compose({ minRatio: 0, maxRatio: 2, outPenalty: 0.05, usePhase: true, maxEpochs: 125 }),
    },
  },
});
