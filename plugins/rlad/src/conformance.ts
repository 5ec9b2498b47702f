import { defineConformance, KlRegularizer, type Options, runTerms } from "@proximal/core";
import { RladGate } from "./gate.js";

/** Gate and KL share the aggregation. */
function gateTerms({ klCoef = 0, aggregation = "seq-mean-token-mean", fixedLength, ...own }: Options) {
  const shared = { aggregation, ...(fixedLength === undefined ? {} : { fixedLength }) };
  const gate = { component: RladGate, options: { ...own, ...shared } };
  return Number(klCoef) === 0 ? [gate] : [gate, { component: KlRegularizer, options: shared, coefficient: Number(klCoef) }];
}

export default defineConformance({ gate: (options, inputs) => runTerms(gateTerms(options), inputs) });
