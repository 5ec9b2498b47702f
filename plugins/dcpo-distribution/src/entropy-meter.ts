import { type Context, constant, type Regularizer, regularizer, type Term, Type, type UpdateOutcome } from "@proximal/core";
import { type EntropyState, initialState, STATE } from "./state.js";

/**
 * Adds 0 to the loss and measures the mean of -log π over the sampled tokens in the step's updates, nats: the entropy estimate that
 * the next step's advantages are steered by. DCPO, official code.
 */
@regularizer({
  id: "dcpo-distribution",
  description: "Measures the entropy estimate that the advantages are steered by; adds nothing to the loss",
  options: Type.Object({}),
  reads: ["logp"],
  sharedState: STATE,
})
export class EntropyMeter implements Regularizer<EntropyState> {
  initialState = initialState;

  terms({ logp }: Context): Term {
    return {
      value: constant(0),
      aggregation: "scalar",
      observe: { surprise: { value: logp.neg(), aggregation: "token-mean" } },
    };
  }

  afterUpdate({ observed: { surprise }, state }: UpdateOutcome<EntropyState>): EntropyState {
    return surprise === undefined ? state : { ...state, entropy: surprise[0]! };
  }
}
