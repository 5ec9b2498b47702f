import { defineConformance, runAdvantage, runTerms } from "@proximal/core";
import { CopoAdvantage } from "./advantage.js";
import { CopoGate } from "./gate.js";

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(CopoAdvantage, options, inputs),
  gate: (options, inputs) => runTerms({ component: CopoGate, options }, inputs),
});
