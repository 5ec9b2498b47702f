import { defineConformance, runAdvantage, runTerms } from "@proximal/core";
import { RlooAdvantage } from "./advantage.js";
import { RlooGate } from "./gate.js";

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(RlooAdvantage, options, inputs),
  gate: (options, inputs) => runTerms({ component: RlooGate, options }, inputs),
});
