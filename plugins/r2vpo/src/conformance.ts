import { defineConformance, runUpdate } from "@proximal/core";
import { type DualState, R2vpoGate } from "./gate.js";

export default defineConformance({
  gate: async (options, inputs) => {
    const given = inputs.state as Omit<DualState, "version"> | undefined;
    const { loss, gradLogp, observed, state } = await runUpdate(
      { component: R2vpoGate, options, state: given && { version: 1, ...given } },
      inputs,
    );
    return { loss, gradLogp, ratioVariance: observed.ratioVariance![0], state };
  },
});
