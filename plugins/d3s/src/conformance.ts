import { defineConformance, runAdvantage } from "@proximal/core";
import { D3sAdvantage } from "./advantage.js";

export default defineConformance({
  // The entropies of a case are those of the policy that sampled.
  advantage: async (options, { entropy, ...inputs }) => {
    const result = await runAdvantage(D3sAdvantage, options, { ...inputs, oldEntropy: entropy }, { step: Number(inputs.step) });
    // One value a response, also where every response is a single token.
    return { ...result, ...(result.metrics as object), advantages: (result.advantages as number[]).flat() };
  },
});
