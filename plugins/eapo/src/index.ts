import { definePlugin } from "@proximal/core";
import { EapoAdvantage } from "./advantage.js";
import { RoundGate } from "./gate.js";
import { RoundSampler } from "./sampler.js";

export { EapoAdvantage } from "./advantage.js";
export { RoundGate } from "./gate.js";
export { RoundSampler } from "./sampler.js";

export default definePlugin({
  slug: "eapo",
  title: "EAPO: Efficiency-Aware Policy Optimization",
  paper: { title: "IterResearch: Rethinking Long-Horizon Agents via Markovian State Reconstruction", year: 2025, arxiv: "2511.07327" },
  provenance: "abstract and several detailed notes with formulas read; no training code found",
  reconstructed: [
    "value of gamma",
    "kind of std and its eps",
    "which rounds the down-sampling drops: at random with the run's seed",
    "form of a round's prompt and of its report; rounds without tools",
    "clip widths: those of GSPO",
  ],
  components: [RoundSampler, EapoAdvantage, RoundGate],
  algorithms: {
    eapo: {
      description: "Episodes of report-writing rounds; every round is a sample, discounted by the rounds that follow; sequence clip",
      aggregation: "seq-mean-token-mean",
      compose: { sampler: { use: "eapo", groupSize: 8 }, advantage: { use: "eapo" }, gate: { use: "eapo" } },
    },
  },
});
