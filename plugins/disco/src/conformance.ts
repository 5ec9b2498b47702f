import { defineConformance, runTerms } from "@proximal/core";
import { DiscoObjective } from "./objective.js";

export default defineConformance({
  objective: (options, inputs) => runTerms({ component: DiscoObjective, options }, inputs),
});
