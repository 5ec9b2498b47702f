import { defineConformance, runTerms } from "@proximal/core";
import { MySlugObjective } from "./objective.js";

export default defineConformance({
  objective: (options, inputs) => runTerms({ component: MySlugObjective, options }, inputs),
});
