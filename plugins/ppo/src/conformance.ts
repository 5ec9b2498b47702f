import { ClipGate, defineConformance, runAdvantage, runTerms, ValueLoss } from "@proximal/core";
import { GaeAdvantage } from "./advantage.js";

export default defineConformance({
  // The values of a case are those of the rollout.
  advantage: (options, inputs) => runAdvantage(GaeAdvantage, options, { ...inputs, oldValues: inputs.values }),
  gate: (options, inputs) => runTerms({ component: ClipGate, options }, inputs),
  regularizer: (options, inputs) => runTerms({ component: ValueLoss, options }, inputs),
});
