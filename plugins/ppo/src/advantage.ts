import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  generalizedAdvantages,
  klEstimateOf,
  lossMask,
  options,
  type State,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { explainedVariance } from "./explained-variance.js";
import { controlledKlCoef, klControllerOptions } from "./kl-controller.js";

export const gaeOptions = Type.Object({
  gamma: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 1, description: "Discount a token" }),
  lambda: Type.Number({ default: 0.95, minimum: 0, maximum: 1, description: "Trace parameter of GAE" }),
  klCoef: Type.Number({ default: 0.05, minimum: 0, description: "Weight of the KL to the reference in the token rewards; 0 = off" }),
  klEstimator: Type.Enum(["k1", "k3"], { default: "k1", description: "k1 = oldLogp - refLogp; k3 = exp(-k1) + k1 - 1" }),
  whiten: Type.Boolean({ default: true, description: "Whiten the advantages over all response tokens" }),
  missingEosPenalty: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
    default: null,
    description: "Taken off the reward of a response that was cut at the length limit; null = off",
  }),
  ...klControllerOptions,
});

export interface KlState extends State {
  /** Weight of the KL in the token rewards of the coming step. */
  klCoef: number;
}

/**
 * GAE on u_t = -klCoef·KL_t, plus the reward at the last token: A_t = Σ_k (γλ)^k·δ_{t+k}, δ_t = u_t + γV_{t+1} - V_t, [tokens].
 * Value targets A + V are taken before whitening, (A - mean) / sqrt(sample variance + 1e-8).
 * PPO (1707.06347) with GAE (1506.02438), RLHF form (1909.08593).
 */
@advantageEstimator({
  id: "gae",
  description: "Generalised advantages and value targets from a value head, with the KL to the reference in the token rewards",
  options: gaeOptions,
  reads: ["rewards", "oldValues", "oldLogp", "refLogp", "truncated"],
  writes: ["advantages", "returns"],
  conventions: { std: "whitened over all tokens: sample variance + 1e-8", kl: "in the reward, sampling policy against reference" },
})
export class GaeAdvantage implements AdvantageEstimator<KlState> {
  constructor(@options() private readonly o: Static<typeof gaeOptions>) {}

  initialState(): KlState {
    return { version: 1, klCoef: this.o.klCoef };
  }

  estimate(batch: Batch, { state }: StepContext<KlState>): EstimateResult<KlState> {
    const { gamma, lambda } = this.o;
    const mask = lossMask(batch);
    const values = batch.f64("oldValues");
    const kl = state.klCoef > 0 ? this.tokenKl(batch, mask) : new Float64Array(batch.tokens);
    const rewards = kl.map((k) => -state.klCoef * k);
    for (const [token, reward] of this.terminalRewards(batch, mask)) rewards[token]! += reward;
    const raw = generalizedAdvantages({ rewards, values, mask, offsets: batch.offsets }, gamma, lambda);
    const returns = raw.map((a, t) => (mask[t] ? a + values[t]! : 0));
    const advantages = this.o.whiten ? statistics.whiten(raw, mask).map((a, t) => (mask[t] ? a : 0)) : raw;
    const klOfResponse = kl.reduce((sum, k) => sum + k, 0) / batch.rows;
    return {
      columns: { advantages, returns },
      state: { ...state, klCoef: controlledKlCoef(state.klCoef, klOfResponse, batch.rows, this.o) },
      metrics: {
        klCoef: state.klCoef,
        klOfResponse: state.klCoef > 0 ? klOfResponse : Number.NaN,
        explainedVariance: explainedVariance(values, returns, mask),
      },
    };
  }

  /** [tokens] KL estimate of each token to the reference, nats. */
  private tokenKl(batch: Batch, mask: Uint8Array): Float64Array {
    const refLogp = batch.f64("refLogp");
    return batch.f64("oldLogp").map((logp, t) => (mask[t] ? klEstimateOf(this.o.klEstimator, logp, refLogp[t]!) : 0));
  }

  /** The last token of each response that has one, with the response's reward. */
  private terminalRewards(batch: Batch, mask: Uint8Array): [token: number, reward: number][] {
    const rewards = batch.f64("rewards");
    const penalty = this.o.missingEosPenalty;
    return [...rewards].flatMap((reward, row) => {
      const last = mask.subarray(batch.offsets[row], batch.offsets[row + 1]).lastIndexOf(1);
      const cut = penalty !== null && batch.f64("truncated")[row] === 1 ? penalty : 0;
      return last < 0 ? [] : [[batch.offsets[row]! + last, reward - cut]];
    });
  }
}
