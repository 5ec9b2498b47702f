import { ClipGate, defineConformance, GroupNormalizedAdvantage, KlRegularizer, type Options, runAdvantage, runTerms } from "@proximal/core";

/** Clip and KL share the aggregation: both terms take the case's. */
function gateTerms({ klCoef = 0, clipLow, clipHigh, aggregation = "seq-mean-token-mean", fixedLength }: Options) {
  const shared = { aggregation, ...(fixedLength === undefined ? {} : { fixedLength }) };
  const bounds = Object.fromEntries(Object.entries({ clipLow, clipHigh }).filter(([, value]) => value !== undefined));
  const gate = { component: ClipGate, options: { ...bounds, ...shared } };
  return Number(klCoef) === 0 ? [gate] : [gate, { component: KlRegularizer, options: shared, coefficient: Number(klCoef) }];
}

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(GroupNormalizedAdvantage, options, inputs),
  gate: (options, inputs) => runTerms(gateTerms(options), inputs),
});
