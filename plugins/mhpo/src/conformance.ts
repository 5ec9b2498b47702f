import { defineConformance, runTerms } from "@proximal/core";
import { MhpoGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: MhpoGate, options }, inputs, { aggregation: "seq-mean-token-mean" }),
});
