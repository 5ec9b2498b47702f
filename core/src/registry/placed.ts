import type { ComponentMetadata } from "../extension/component.js";
import type { Environment } from "../extension/environment.js";
import type {
  AdvantageEstimator,
  Aggregation,
  LossComponent,
  MaybeStateful,
  RewardFailure,
  RewardModel,
  Sampler,
} from "../extension/points.js";
import type { Embedder, JudgeModel } from "../extension/services.js";
import type { Watchdog, WatchdogResponse } from "../extension/watchdog.js";
import type { ColumnSpecs } from "../rollout/batch.js";

/** A component at its place in a run. */
export interface Placed<C = MaybeStateful> {
  /** Unique within its extension point; names its state, metrics and step values. */
  id: string;
  component: C;
  metadata: ComponentMetadata;
}

export interface PlacedReward extends Placed<RewardModel> {
  /** Factor in the sum of rewards. */
  weight: number;
  /** Errors pass and nothing is limited when left out. */
  failure?: RewardFailure;
  /** What a wrapping model wraps. */
  inner: readonly PlacedReward[];
}

export interface PlacedTerm extends Placed<LossComponent> {
  /** Factor in the sum of terms. */
  coefficient: number;
}

export interface PlacedEnvironment extends Placed<Environment> {
  /** Turns of the policy after which an episode is cut. */
  maxTurns: number;
  /** Longest observation, tokens; no limit but the response's own when left out. */
  observationTokens?: number;
}

export interface PlacedWatchdog extends WatchdogResponse {
  id: string;
  component: Watchdog;
}

/** The components of one run: what a config resolves to. */
export interface RunComponents {
  /** Absent when responses are one turn. */
  environment?: PlacedEnvironment;
  sampler: Placed<Sampler>;
  rewards: readonly PlacedReward[];
  /** null when no term reads what an estimator would write. */
  advantage: Placed<AdvantageEstimator> | null;
  /** Gate or objective first, then regularizers. */
  terms: readonly PlacedTerm[];
  judge?: Placed<JudgeModel>;
  embed?: Placed<Embedder>;
  watchdogs?: readonly PlacedWatchdog[];
  /** Of terms that name none. */
  aggregation: Aggregation;
  /** Types of the columns that are not standard. */
  specs: ColumnSpecs;
}
