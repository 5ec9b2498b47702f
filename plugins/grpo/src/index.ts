import { definePlugin } from "@proximal/core";
import { presets } from "./presets.js";

export default definePlugin({
  slug: "grpo",
  title: "GRPO: Group Relative Policy Optimization",
  paper: {
    title: "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models",
    authors: "Shao et al.",
    year: 2024,
    arxiv: "2402.03300",
  },
  provenance: "TRL and verl implementations read",
  components: [],
  algorithms: presets,
});
