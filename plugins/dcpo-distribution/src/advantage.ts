import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  type GroupNormalizedOptions,
  groupNormalize,
  options,
  type RunFacts,
  runFacts,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { type EntropyState, initialState, STATE } from "./state.js";
import { mixOf, targetTemperature } from "./target.js";

export const dcpoOptions = Type.Object({
  targetEntropy: Type.Number({ default: 0.5, exclusiveMinimum: 0, description: "Entropy that the policy is steered to, nats a token" }),
  temperatureHigh: Type.Number({ default: 1.2, exclusiveMinimum: 1, description: "Temperature of the target while entropy is too low" }),
  temperatureLow: Type.Number({
    default: 0.8,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "Temperature of the target while entropy is too high",
  }),
  maxStrength: Type.Number({ default: 0.1, minimum: 0, description: "Largest entropy gap that counts, nats; 0 = GRPO" }),
  correctThreshold: Type.Number({ default: 0.05, description: "A response is correct when its reward is above it" }),
});

const NORMALIZED: GroupNormalizedOptions = { scale: "group", ddof: 1, stdEps: 1e-6, groupOfOne: "zero", advClip: null };

/**
 * A_{i,t} = (1 - mix)·A_i + mix·b_i·ρ_{i,t}, [B, T]: A the group-normalised reward, b = 1 for correct responses, ρ = π_T / π_old of the
 * sampled token, π_T the old policy at another temperature. DCPO (Distribution-Centric Policy Optimization), official code.
 */
@advantageEstimator({
  id: "dcpo-distribution",
  description: "Blend of GRPO's advantage and a policy gradient on correct responses as if drawn at another temperature",
  options: dcpoOptions,
  reads: ["rewards", "oldLogp"],
  writes: ["advantages"],
  requires: ["scoreTokens"],
  sharedState: STATE,
  conventions: { std: "sample (n - 1)", groupOfOne: "0, plus the blended part" },
})
export class DcpoAdvantage implements AdvantageEstimator<EntropyState> {
  constructor(
    @options() private readonly o: Static<typeof dcpoOptions>,
    @runFacts() private readonly run: RunFacts,
  ) {}

  initialState = initialState;

  async estimate(batch: Batch, { state, services }: StepContext<EntropyState>): Promise<EstimateResult<EntropyState>> {
    const rewards = batch.f64("rewards");
    const correct = rewards.map((reward) => Number(reward > this.o.correctThreshold));
    const share = batch.rows === 0 ? 0 : statistics.mean(correct);
    const mix = mixOf(state.entropy, share, this.o);
    const temperature = targetTemperature(state.entropy, this.o);
    const oldLogp = batch.f64("oldLogp");
    // The target is the sampling distribution flattened or sharpened: temperatures multiply.
    const targetLogp = mix === 0 ? oldLogp : await services.scoreTokens(batch, { temperature: temperature * this.run.temperature });
    const isCorrect = batch.repeat(correct);
    const normalized = batch.repeat(groupNormalize(rewards, batch.groupRows, NORMALIZED));
    const advantages = normalized.map(
      (a, t) => (1 - mix) * a + mix * isCorrect[t]! * statistics.boundedRatio(targetLogp[t]! - oldLogp[t]!),
    );
    return { columns: { advantages }, metrics: { mix, temperature, correct: share, entropyGap: this.o.targetEntropy - state.entropy } };
  }
}
