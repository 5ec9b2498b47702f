import { definePlugin } from "@proximal/core";
import { DrpoGate } from "./gate.js";

export { DrpoGate } from "./gate.js";

export default definePlugin({
  slug: "drpo",
  title: "DRPO: Decoupled Reward Policy Optimization",
  paper: {
    title: "DRPO: Efficient Reasoning via Decoupled Reward Policy Optimization",
    authors: "Li, Chen, Lin, Yang",
    year: 2025,
    arxiv: "2510.04474",
  },
  provenance: "official code read (loss, launch script); derivation from the abstract and a summary",
  components: [DrpoGate],
  algorithms: {
    drpo: {
      description: "Correct responses, short ones first, against the wrong ones of the same prompt; rewards are 0 or 1",
      compose: { sampler: { use: "independent", groupSize: 8 }, gate: { use: "drpo" } },
    },
  },
});
