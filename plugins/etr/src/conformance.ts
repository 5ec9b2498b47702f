import { defineConformance, type Inputs, type Options, runTerms } from "@proximal/core";
import { EtrGate } from "./gate.js";

const facts = { aggregation: "seq-mean-token-mean" } as const;

/** [εl, εh] of each response: the widths of a token with the response's advantage, so that empty responses have them too. */
function clipWidths(options: Options, { advantages, rewards, group }: Inputs): number[][] {
  const oneToken = (advantages as number[]).map(() => [0]);
  const inputs = { logp: oneToken, oldLogp: oneToken, advantages, rewards, group };
  const { perToken } = runTerms({ component: EtrGate, options }, inputs, facts);
  return perToken["etr.widthLow"]!.map(([low], row) => [low!, perToken["etr.widthHigh"]![row]![0]!]);
}

export default defineConformance({
  gate: (options, inputs) => ({
    ...runTerms({ component: EtrGate, options }, inputs, facts),
    // Advantages by token have widths by token.
    ...((inputs.advantages as unknown[]).every((a) => typeof a === "number") ? { clipWidths: clipWidths(options, inputs) } : {}),
  }),
});
