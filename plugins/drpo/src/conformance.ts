import { defineConformance, runTerms } from "@proximal/core";
import { DrpoGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => {
    const { loss, gradLogp, observed, perToken } = runTerms({ component: DrpoGate, options }, inputs);
    return {
      loss,
      gradLogp,
      kl: observed["drpo.kl"]![0],
      // A response without tokens is in neither class.
      weights: perToken["drpo.weight"]!.map((facts) => facts[0] ?? 0),
    };
  },
});
