import { defineConformance, runTerms } from "@proximal/core";
import { DhpoGate } from "./gate.js";

export default defineConformance({
  gate: (options, { entropy, ...inputs }) =>
    runTerms({ component: DhpoGate, options }, entropy === undefined ? inputs : { ...inputs, oldEntropy: entropy }, {
      aggregation: "seq-mean-token-mean",
    }),
});
