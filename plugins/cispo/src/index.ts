import { definePlugin } from "@proximal/core";
import { CispoGate } from "./gate.js";
import { presets } from "./presets.js";

export { CispoGate } from "./gate.js";

export default definePlugin({
  slug: "cispo",
  title: "CISPO: Clipped Importance-Sampling-weight Policy Optimization",
  paper: {
    title: "MiniMax-M1: Scaling Test-Time Compute Efficiently with Lightning Attention",
    year: 2025,
    arxiv: "2506.13585",
  },
  provenance: "TRL and verl implementations read; MiniMax does not publish its ceiling, 5 is ScaleRL's (2510.13786)",
  components: [CispoGate],
  algorithms: presets,
});
