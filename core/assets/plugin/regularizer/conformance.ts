import { defineConformance, runTerms } from "@proximal/core";
import { MySlugRegularizer } from "./regularizer.js";

export default defineConformance({
  regularizer: (options, inputs) => runTerms({ component: MySlugRegularizer, options }, inputs),
});
