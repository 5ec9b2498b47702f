import { clipTerms, defineConformance, GroupNormalizedAdvantage, runAdvantage, runAlgorithm, runTerms } from "@proximal/core";
import { DppoGate } from "./dppo.js";
import { presets } from "./presets.js";

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(GroupNormalizedAdvantage, options, inputs),
  gate: (options, inputs) => runTerms(clipTerms(options, { aggregation: "seq-mean-token-mean" }), inputs),
  algorithm: ({ preset }, inputs) => runAlgorithm(presets[String(preset)]!, [DppoGate], inputs),
});
