import { clipTerms, defineConformance, GroupNormalizedAdvantage, runAdvantage, runTerms } from "@proximal/core";

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(GroupNormalizedAdvantage, options, inputs),
  gate: (options, inputs) => runTerms(clipTerms(options, { aggregation: "seq-mean-token-mean" }), inputs),
});
