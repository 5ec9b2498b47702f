import { defineConformance, runTerms } from "@proximal/core";
import { GspoGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: GspoGate, options }, inputs),
});
