import { defineConformance, runTerms } from "@proximal/core";
import { CispoGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: CispoGate, options }, inputs, { aggregation: "token-mean" }),
});
