import { definePlugin } from "@proximal/core";
import { AdoraAdvantage } from "./advantage.js";

export { AdoraAdvantage } from "./advantage.js";

const algorithm = (description: string, adora: object) => ({
  description,
  aggregation: "token-mean",
  compose: { sampler: { use: "independent", groupSize: 8 }, advantage: { use: "adora", ...adora }, gate: { use: "clip" } },
});

export default definePlugin({
  slug: "adora",
  title: "ADORA: Advantage Dynamics via Online Rollout Adaptation",
  paper: {
    title: "ADORA: Training Reasoning Models with Dynamic Advantage Estimation on Reinforcement Learning",
    authors: "Ren, Huang, Fang, Chen et al.",
    year: 2026,
    arxiv: "2602.10019",
  },
  provenance: "official code read (text and vision-language variants), abstract and a summary",
  reconstructed: ["details of the difficulty criterion"],
  components: [AdoraAdvantage],
  algorithms: {
    adora: algorithm("GRPO that damps groups in which long correct responses do not beat the average wrong one", {}),
    "adora@vision": algorithm("The vision-language code: lenient on groups of one kind, maxLength 4094, stdEps 1e-9", {
      variant: "lenient",
      maxLength: 4094,
      stdEps: 1e-9,
    }),
    "adora@difficulty": algorithm("Damps prompts that are solved in more than half of the responses, or never", {
      criterion: "difficulty",
    }),
  },
});
