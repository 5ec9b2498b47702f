import { clipTerms, defineConformance, GroupNormalizedAdvantage, runAdvantage, runTerms } from "@proximal/core";

/** The longest response of the paper's recipe, tokens. */
const PAPER_LENGTH = 3000;

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(GroupNormalizedAdvantage, { scale: "none", stdEps: 0, ...options }, inputs),
  gate: (options, inputs) => runTerms(clipTerms(options, { aggregation: "seq-mean-token-sum-norm", fixedLength: PAPER_LENGTH }), inputs),
});
