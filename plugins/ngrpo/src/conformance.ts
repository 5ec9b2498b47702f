import { ClipGate, defineConformance, KlRegularizer, type Options, runAdvantage, runTerms } from "@proximal/core";
import { NgrpoAdvantage } from "./advantage.js";
import { asymmetricClip } from "./index.js";

/** Clip and KL share the aggregation. */
function gateTerms({ klCoef = 0, aggregation = "token-mean", fixedLength, ...bounds }: Options) {
  const shared = { aggregation, ...(fixedLength === undefined ? {} : { fixedLength }) };
  const gate = { component: ClipGate, options: { ...asymmetricClip, ...bounds, ...shared } };
  return Number(klCoef) === 0 ? [gate] : [gate, { component: KlRegularizer, options: shared, coefficient: Number(klCoef) }];
}

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(NgrpoAdvantage, options, inputs),
  gate: (options, inputs) => runTerms(gateTerms(options), inputs),
});
