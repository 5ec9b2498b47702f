import { defineConformance, runAdvantage } from "@proximal/core";
import { AdoraAdvantage } from "./advantage.js";

export default defineConformance({
  advantage: async (options, inputs) => {
    const { advantages, groupWeights } = await runAdvantage(AdoraAdvantage, options, inputs);
    return { advantages, weights: groupWeights };
  },
});
