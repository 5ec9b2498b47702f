import { definePlugin } from "@proximal/core";
import { DppoGate } from "./dppo.js";
import { presets } from "./presets.js";

export { DppoGate } from "./dppo.js";

export default definePlugin({
  slug: "grpo",
  title: "GRPO: Group Relative Policy Optimization",
  paper: {
    title: "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models",
    authors: "Shao et al.",
    year: 2024,
    arxiv: "2402.03300",
  },
  provenance: "TRL, verl, OpenRLHF and prime-rl implementations read",
  components: [DppoGate],
  algorithms: presets,
});
