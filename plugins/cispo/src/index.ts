import { definePlugin } from "@proximal/core";
import { CispoGate } from "./gate.js";

export { CispoGate } from "./gate.js";

const cispo = (
  description: string,
  gate: { ratioLow: number; ratioHigh: number },
  advantage: { scale?: "batch"; stdEps?: number } = {},
) => ({
  description,
  aggregation: "token-mean",
  compose: {
    sampler: { use: "independent", groupSize: 8 },
    advantage: { use: "group-normalized", ...advantage },
    gate: { use: "cispo", ...gate },
  },
});

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
  algorithms: {
    cispo: cispo("As published: only a ceiling on the weight", { ratioLow: 0, ratioHigh: 5 }),
    "cispo@trl": cispo("TRL: an absolute ceiling, std guard 1e-4", { ratioLow: 0, ratioHigh: 5 }, { stdEps: 1e-4 }),
    "cispo@verl": cispo("verl: both sides, its half-widths of 0.2 as ratios", { ratioLow: 0.8, ratioHigh: 1.2 }),
    "cispo@scalerl": cispo(
      "ScaleRL: a ceiling, rewards divided by the std of the batch",
      { ratioLow: 0, ratioHigh: 5 },
      { scale: "batch" },
    ),
  },
});
