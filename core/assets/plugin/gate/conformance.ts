import { defineConformance, runTerms } from "@proximal/core";
import { MySlugGate } from "./gate.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: MySlugGate, options }, inputs),
});
