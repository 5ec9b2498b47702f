import { clipTerms, defineConformance, runTerms } from "@proximal/core";
import { RladGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => runTerms(clipTerms(options, { aggregation: "seq-mean-token-mean" }, RladGate), inputs),
});
