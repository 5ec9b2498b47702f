import { batchOfCase, defineConformance, instantiate, runAdvantage } from "@proximal/core";
import { RiskAdvantage, type RiskState } from "./advantage.js";

export default defineConformance({
  advantage: async (options, inputs) => {
    const given = inputs.state as { quantiles: number[] } | undefined;
    const state: RiskState = { version: 1, quantiles: given?.quantiles ?? null };
    const bundles = instantiate(RiskAdvantage, options).bundles(batchOfCase(inputs));
    return {
      ...(await runAdvantage(RiskAdvantage, options, inputs, { state })),
      bundleScores: bundles.map((papers) => papers.map((paper) => paper.score)),
    };
  },
});
