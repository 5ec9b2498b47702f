import { defineConformance, runAdvantage, runTerms } from "@proximal/core";
import { DcpoAdvantage, type DcpoState } from "./advantage.js";
import { DcpoGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => {
    const outcome = runTerms({ component: DcpoGate, options }, inputs, { aggregation: "otm" });
    const { "dcpo.ratioLow": low, "dcpo.ratioHigh": high } = outcome.perToken;
    return { ...outcome, ratioBounds: low!.map((row, i) => row.map((bound, t) => [bound, high![i]![t]!])) };
  },
  advantage: async (options, inputs) => {
    const state: DcpoState = { version: 1, prompts: (inputs.state ?? {}) as DcpoState["prompts"] };
    const promptId = (inputs.group as number[]).map(String);
    const { advantages, state: after } = await runAdvantage(DcpoAdvantage, options, { ...inputs, promptId }, { state });
    return { advantages, state: (after as DcpoState).prompts };
  },
});
