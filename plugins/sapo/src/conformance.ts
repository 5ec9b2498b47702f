import { defineConformance, runTerms } from "@proximal/core";
import { SapoGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: SapoGate, options }, inputs, { aggregation: "seq-mean-token-mean" }),
});
