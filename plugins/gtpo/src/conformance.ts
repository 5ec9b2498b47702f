import { defineConformance, type Inputs, runAdvantage, runTerms } from "@proximal/core";
import { GtpoAdvantage, type GtpoState } from "./advantage.js";
import { GtpoGate } from "./gate.js";

export default defineConformance({
  advantage: async (options, inputs: Inputs) => {
    const state: GtpoState = { version: 1, initialEntropy: inputs.initialEntropy as number };
    const estimated = await runAdvantage(GtpoAdvantage, options, { ...inputs, oldEntropy: inputs.entropy }, { state });
    const { loss, gradLogp } = runTerms({ component: GtpoGate }, { ...inputs, advantages: estimated.advantages });
    return { ...estimated, tokenWeights: estimated.conflictWeights, keep: estimated.entropyKeep, loss, gradLogp };
  },
});
