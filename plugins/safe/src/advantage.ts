import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  lossMask,
  options,
  type RunFacts,
  runFacts,
  type State,
  type Static,
  type StepContext,
  statistics,
  Type,
  type UpdateOutcome,
} from "@proximal/core";
import { type Critic, freshCritic, heads, layerNorm, softMin, trained } from "./critic.js";
import { including, noRewards, normalized, type RewardStatistics } from "./reward-statistics.js";

export const safeAdvantageOptions = Type.Object({
  softMinTemperature: Type.Number({ default: 0.3, exclusiveMinimum: 0, description: "Temperature of the soft minimum of the two heads" }),
  valueClip: Type.Number({ default: 0.2, exclusiveMinimum: 0, description: "Half-width of the change of a value since the rollout" }),
  huberDelta: Type.Number({ default: 0.5, exclusiveMinimum: 0, description: "Error beyond which the value loss is linear" }),
  criticLearningRate: Type.Number({ default: 1e-3, exclusiveMinimum: 0, description: "Adam's rate for the two heads" }),
  criticEpochs: Type.Integer({ default: 2, minimum: 1, description: "Updates of the heads a step" }),
});

export interface SafeState extends State {
  statistics: RewardStatistics;
  critic: Critic;
}

/** (A - mean) / (std + 1e-8) over the batch, sample std, of A = r~ - V; 0 for a batch of one. */
export const whitened = (targets: Float64Array, values: ArrayLike<number>): Float64Array =>
  groupNormalize(
    targets.map((target, row) => target - values[row]!),
    [[...targets.keys()]],
    { scale: "group", ddof: 1, stdEps: 1e-8, groupOfOne: "zero", advClip: null },
  );

/**
 * A = r~ - V, whitened over the batch, the same for all tokens of a response, [B]: r~ the reward normalised by running statistics, V the
 * soft minimum of two heads on the state that predicts the response's last token. SAFE, official code.
 */
@advantageEstimator({
  id: "safe",
  description: "Normalised reward minus the soft minimum of two value heads on the policy's last state, whitened over the batch",
  options: safeAdvantageOptions,
  reads: ["rewards", "hidden", "mask"],
  writes: ["advantages", { name: "normalizedRewards", at: "row", dtype: "f64" }, { name: "oldResponseValues", at: "row", dtype: "f64" }],
  conventions: { std: "sample (n - 1), over the batch", groupOfOne: "no groups: the baseline is the critic's" },
})
export class SafeAdvantage implements AdvantageEstimator<SafeState> {
  constructor(
    @options() private readonly o: Static<typeof safeAdvantageOptions>,
    @runFacts() private readonly run: RunFacts,
  ) {}

  initialState(): SafeState {
    return { version: 1, statistics: noRewards(), critic: freshCritic(this.run.hiddenSize, this.run.seed) };
  }

  estimate(batch: Batch, { state }: StepContext<SafeState>): EstimateResult<SafeState> {
    const after = including(state.statistics, batch.f64("rewards"));
    const normalizedRewards = normalized(batch.f64("rewards"), after);
    const oldResponseValues = this.values(batch, state.critic);
    const error = normalizedRewards.map((target, row) => (target - oldResponseValues[row]!) ** 2);
    return {
      columns: { advantages: [...whitened(normalizedRewards, oldResponseValues)], normalizedRewards, oldResponseValues },
      state: { ...state, statistics: after },
      metrics: {
        rewardMean: after.mean,
        rewardStd: Math.sqrt(after.var),
        value: statistics.mean(oldResponseValues),
        valueError: statistics.mean(error),
      },
    };
  }

  private values(batch: Batch, critic: Critic): Float64Array {
    return Float64Array.from(this.features(batch), (x) => softMin(...heads(critic, x), this.o.softMinTemperature));
  }

  /** [B][H] normalised state at the last token that the policy chose; zeros without any. */
  private features(batch: Batch): Float64Array[] {
    const mask = lossMask(batch);
    const width = this.run.hiddenSize;
    return Array.from(batch.lengths, (_, row) => {
      const last = mask.subarray(batch.offsets[row], batch.offsets[row + 1]).lastIndexOf(1);
      return last < 0 ? new Float64Array(width) : layerNorm(batch.tokensOf("hidden", row).subarray(last * width, (last + 1) * width));
    });
  }

  /** The critic learns on the states of the rollout; nothing of it reaches the policy's parameters. */
  afterUpdate({ batch, state }: UpdateOutcome<SafeState>): SafeState {
    if (batch.rows === 0) return state;
    const features = this.features(batch);
    const [oldValues, targets] = [batch.f64("oldResponseValues"), batch.f64("normalizedRewards")];
    let { critic } = state;
    for (let epoch = 0; epoch < this.o.criticEpochs; epoch++) ({ critic } = trained(critic, features, oldValues, targets, this.o));
    return { ...state, critic };
  }
}
