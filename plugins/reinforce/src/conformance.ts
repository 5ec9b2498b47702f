import { defineConformance, runAdvantage, runTerms } from "@proximal/core";
import { type BaselineState, ReinforceAdvantage } from "./advantage.js";
import { ReinforceGate } from "./gate.js";

export default defineConformance({
  advantage: (options, inputs) =>
    runAdvantage(ReinforceAdvantage, options, inputs, {
      state: { version: 1, baseline: 0, ...(inputs.state as BaselineState | undefined) } as BaselineState,
    }),
  gate: (options, inputs) => runTerms({ component: ReinforceGate, options }, inputs, { aggregation: "token-mean" }),
});
