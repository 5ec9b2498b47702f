import {
  type Batch,
  ConfigError,
  groupNormalize,
  type Metrics,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type State,
  type Static,
  Type,
} from "@proximal/core";
import { contribution, metaReward } from "./hypervolume.js";
import { influences, updatedWeights } from "./mirror.js";

export const dynamicOptions = Type.Object({
  method: Type.Union([Type.Literal("hypervolume"), Type.Literal("gradient")], {
    default: "hypervolume",
    description: "Scale all rewards by the growth of the Pareto front, or weigh objectives by the agreement of their gradients",
  }),
  rewardWeights: Type.Array(Type.Number({ minimum: 0 }), {
    default: [0.334, 0.333, 0.333],
    description: "User preference, one an objective, sum 1",
  }),
  maximize: Type.Array(Type.Boolean(), { default: [true, false, true], description: "Direction of each objective in the Pareto buffer" }),
  mu: Type.Number({ default: 1e-5, exclusiveMinimum: 0, description: "Regulariser of the weight update" }),
  learningRate: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Of the policy's optimizer; scales the weight update" }),
  accumulation: Type.Integer({ default: 1, minimum: 1, description: "Steps averaged before the weights move" }),
  targetLayers: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { description: "Layers whose gradients count; all when left out" })),
});

export interface DynamicState extends State {
  /** Validation points, first = reference (the initial policy); in their original signs. */
  buffer: number[][];
  /** Scale of the coming rewards. */
  meta: number;
  weights: number[];
  /** Influences of the steps since the weights last moved. */
  pending: number[][];
}

/**
 * R = m·Σ_k w_k·r_k, w fixed and m = 0.5 + 1.5·tanh(growth of the hypervolume) (method `hypervolume`), or m = 1 and w moved by
 * mirror descent on the agreement of the objectives' policy gradients (method `gradient`). 2509.11452.
 */
@rewardModel({
  id: "dynamic-reward-weighting",
  description: "Sum of several rewards whose scale or weights follow the progress of training",
  options: dynamicOptions,
  requires: ["policyGradient"],
  wraps: true,
})
export class DynamicReward implements RewardModel<DynamicState> {
  constructor(@options() private readonly o: Static<typeof dynamicOptions>) {}

  initialState(): DynamicState {
    return { version: 1, buffer: [], meta: 1, weights: [...this.o.rewardWeights], pending: [] };
  }

  async score(batch: Batch, context: RewardContext<DynamicState>): Promise<RewardResult<DynamicState>> {
    const components = context.inner!.components;
    const names = Object.keys(components);
    if (names.length !== this.o.rewardWeights.length) {
      throw new ConfigError(`dynamic-reward-weighting wraps ${names.length} rewards but has ${this.o.rewardWeights.length} weights`, {
        path: "rewardWeights",
        accepted: `one weight for each of ${names.join(", ")}`,
      });
    }
    const state =
      this.o.method === "gradient"
        ? await this.reweighted(
            batch,
            names.map((name) => components[name]!),
            context,
          )
        : context.state;
    const rewards = weightedSum(
      names.map((name) => components[name]!),
      state.weights,
      state.meta,
    );
    const metrics = { metaReward: state.meta, ...Object.fromEntries(names.map((name, k) => [`weight.${name}`, state.weights[k]!])) };
    return { rewards, components, state, metrics };
  }

  /** Gradient of the policy loss with each objective's own advantages; no optimizer step. */
  private async reweighted(
    batch: Batch,
    objectives: readonly Float64Array[],
    { services, state }: RewardContext<DynamicState>,
  ): Promise<DynamicState> {
    const gradients: Float32Array[] = [];
    for (const rewards of objectives) {
      const advantages = groupNormalize(rewards, batch.groupRows, {
        scale: "group",
        ddof: 1,
        stdEps: 1e-6,
        groupOfOne: "zero",
        advClip: null,
      });
      gradients.push(await services.policyGradient(batch, batch.repeat(advantages), this.o.targetLayers));
    }
    return this.moved(state, influences(gradients));
  }

  /** The state after one more measurement of the influences. */
  moved(state: DynamicState, influence: readonly number[]): DynamicState {
    const pending = [...state.pending, [...influence]];
    if (pending.length < this.o.accumulation) return { ...state, pending };
    const average = influence.map((_, k) => pending.reduce((sum, row) => sum + row[k]!, 0) / pending.length);
    return { ...state, weights: updatedWeights(state.weights, average, this.o.learningRate, this.o.mu), pending: [] };
  }

  afterEvaluation({ metrics, state }: { metrics: Metrics; state: DynamicState }): DynamicState {
    if (this.o.method !== "hypervolume") return state;
    const prefix = "reward.dynamic-reward-weighting.";
    const point = Object.keys(metrics)
      .filter((name) => name.startsWith(prefix))
      .map((name) => metrics[name]!);
    return point.length === this.o.rewardWeights.length && point.every(Number.isFinite) ? this.validated(state, point) : state;
  }

  /** The state after a validation result, one number an objective. The first one becomes the reference. */
  validated(state: DynamicState, point: readonly number[]): DynamicState {
    if (state.buffer.length === 0) return { ...state, buffer: [[...point]] };
    const d = contribution(state.buffer, point, this.o.maximize);
    return { ...state, meta: metaReward(d), buffer: d > 0 ? [...state.buffer, [...point]] : state.buffer };
  }
}

/** m·Σ_k w_k·r_k, [B]. */
export function weightedSum(objectives: readonly ArrayLike<number>[], weights: readonly number[], meta: number): Float64Array {
  return Float64Array.from(
    { length: objectives[0]?.length ?? 0 },
    (_, row) => meta * objectives.reduce((sum, values, k) => sum + weights[k]! * values[row]!, 0),
  );
}
