import { defineConformance, runAdvantage, runTerms } from "@proximal/core";
import { ExtendedGae } from "./advantage.js";
import { FinishedValueLoss } from "./value-loss.js";
import { WINDOW_COLUMNS } from "./window.js";

const { finished, windowStart, valueMask } = WINDOW_COLUMNS;

export default defineConformance({
  // The values of a case are those of the rollout.
  advantage: (options, inputs) =>
    runAdvantage(ExtendedGae, options, { ...inputs, oldValues: inputs.values }, { specs: { finished, windowStart } }),
  objective: (options, inputs) => runTerms({ component: FinishedValueLoss, options }, inputs, { specs: { valueMask } }),
});
