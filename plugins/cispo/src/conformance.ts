import { defineConformance, runAlgorithm, runTerms } from "@proximal/core";
import { CispoGate } from "./gate.js";
import { presets } from "./presets.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: CispoGate, options }, inputs, { aggregation: "token-mean" }),
  algorithm: ({ preset }, inputs) => runAlgorithm(presets[String(preset)]!, [CispoGate], inputs),
});
