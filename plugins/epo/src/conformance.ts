import { defineConformance, instantiate, runTerms } from "@proximal/core";
import { type EntropyHistory, record } from "./history.js";
import { phaseWeight } from "./phase.js";
import { EpoRegularizer } from "./regularizer.js";

export default defineConformance({
  "regularizer/penalty": (options, inputs) => {
    const { history = [] } = (inputs.state ?? {}) as Partial<EntropyHistory>;
    const state: EntropyHistory = { version: 1, phases: history.length === 0 ? 0 : 1, history };
    const outcome = runTerms({ component: EpoRegularizer, options, state }, inputs, { step: Number(inputs.epoch) });
    return {
      loss: outcome.loss,
      gradEntropy: outcome.gradEntropy,
      tokenPenalties: outcome.perToken["epo.tokenPenalties"],
      meanEntropy: outcome.observed["epo.meanEntropy"]![0],
      meanPenalty: outcome.observed["epo.meanPenalty"]![0],
    };
  },
  "regularizer/phase-weights": ({ maxEpochs = 150 }, { epochs }) => ({
    phaseWeights: (epochs as number[]).map((epoch) => phaseWeight(epoch, Number(maxEpochs))),
  }),
  "regularizer/history": (options, { stepEntropies }) => ({
    state: (stepEntropies as number[][]).reduce(record, instantiate(EpoRegularizer, options).initialState()),
  }),
});
