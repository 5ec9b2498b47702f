import type {
  AdvantageEstimator,
  Aggregation,
  ComponentMetadata,
  LossComponent,
  MaybeStateful,
  RewardModel,
  Sampler,
} from "../extension/index.js";
import type { ColumnSpecs } from "../rollout/index.js";

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
  /** What a wrapping model wraps. */
  inner: readonly PlacedReward[];
}

export interface PlacedTerm extends Placed<LossComponent> {
  /** Factor in the sum of terms. */
  coefficient: number;
}

/** The components of one run: what a config resolves to. */
export interface RunComponents {
  sampler: Placed<Sampler>;
  rewards: readonly PlacedReward[];
  /** null when no term reads what an estimator would write. */
  advantage: Placed<AdvantageEstimator> | null;
  /** Gate or objective first, then regularizers. */
  terms: readonly PlacedTerm[];
  /** Of terms that name none. */
  aggregation: Aggregation;
  /** Types of the columns that are not standard. */
  specs: ColumnSpecs;
}

/** All components, wrapped ones included, in the order in which they act. */
export function componentsOf({ sampler, rewards, advantage, terms }: RunComponents): Placed[] {
  const withInner = (part: PlacedReward): Placed[] => [...part.inner.flatMap(withInner), part];
  return [sampler, ...rewards.flatMap(withInner), ...(advantage === null ? [] : [advantage]), ...terms];
}

const nameOf = (reference: string | { name: string }): string => (typeof reference === "string" ? reference : reference.name);

/** Names of the columns that the components read. */
export const readBy = (components: readonly Placed[]): Set<string> =>
  new Set(components.flatMap(({ metadata }) => (metadata.reads ?? []).map(nameOf)));

/** Names of the columns that the components write. */
export const writtenBy = (components: readonly Placed[]): Set<string> =>
  new Set(components.flatMap(({ metadata }) => (metadata.writes ?? []).map(nameOf)));
