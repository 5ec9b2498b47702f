import { defineConformance, runTerms } from "@proximal/core";
import { FiberGate } from "./gate.js";

const REGIMES = ["pass", "rollback", "zeroed"];

export default defineConformance({
  gate: (options, inputs) => {
    const { loss, gradLogp, perToken } = runTerms({ component: FiberGate, options }, inputs);
    const [pos, neg] = [perToken["fiberpo.regimePos"], perToken["fiberpo.regimeNeg"]];
    // A response without tokens has not moved.
    const name = (facts: readonly number[]) => REGIMES[facts[0] ?? 0];
    return { loss, gradLogp, ...(pos && neg ? { regime: pos.map((facts, row) => [name(facts), name(neg[row]!)]) } : {}) };
  },
});
