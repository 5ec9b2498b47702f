import type { ResolvedComponent } from "../config/component.js";
import type { ResolvedConfig } from "../config/resolve.js";
import type { ExtensionPoint } from "../extension/names.js";
import { readsUnder } from "../extension/reads.js";
import type { ColumnSpec, ColumnSpecs } from "../rollout/index.js";
import type { StandardColumn } from "../rollout/standard.js";

/** Columns that every rollout has. */
export const ROLLOUT_COLUMNS = [
  "tokens",
  "mask",
  "oldLogp",
  "completions",
  "prompts",
  "promptId",
  "golds",
  "truncated",
  "group",
  "lengths",
] as const satisfies readonly StandardColumn[];

/** Columns that the policy computes when some component reads them. */
export const POLICY_COLUMNS = [
  "logp",
  "refLogp",
  "entropy",
  "oldEntropy",
  "values",
  "oldValues",
  "hidden",
  "candidateProbs",
  "candidateTokens",
  "candidateIndex",
] as const satisfies readonly StandardColumn[];

/** Columns of a run that names an environment. */
export const EPISODE_COLUMNS = ["turnIndex", "observed", "turns", "lastTurn"] as const satisfies readonly StandardColumn[];

/** The column of a run that names a teacher. */
export const TEACHER_COLUMN = "teacherLogp" satisfies StandardColumn;

/** Columns that exist as soon as a run has any reward. */
export const REWARD_COLUMNS = ["rewards", "rewardComponents"] as const satisfies readonly StandardColumn[];

/** The trainer writes it after the rewards, unless some component or the data set does. */
export const CORRECT_COLUMN = "correct" satisfies StandardColumn;

/** A column that a component reads or writes, as its manifest says. */
export interface Reference {
  name: string;
  optional: boolean;
  spec?: ColumnSpec;
}

type ManifestReference = ResolvedComponent["component"]["reads"][number];

export function referenceOf(reference: ManifestReference): Reference {
  if (typeof reference === "string") return { name: reference, optional: false };
  const { name, optional = false, at, dtype, width } = reference;
  if (at === undefined || dtype === undefined) return { name, optional };
  return { name, optional, spec: { at, dtype, ...(width === undefined ? {} : { width }) } as ColumnSpec };
}

/** What a component reads with its options. */
export const readsOf = ({ component, options }: ResolvedComponent): Reference[] => readsUnder(component.reads, options).map(referenceOf);

/** When a component acts within a step; what is written later cannot be read. */
const STAGES: readonly (readonly ExtensionPoint[])[] = [["sampler", "environment"], ["reward"], ["critic", "advantage"]];
export const stageOf = (point: ExtensionPoint): number => {
  const stage = STAGES.findIndex((points) => points.includes(point));
  return stage < 0 ? STAGES.length : stage;
};

/** All components of a config, wrapped rewards before what wraps them, in the order in which they act. */
export function partsOf({
  environment,
  sampler,
  rewards,
  advantage,
  gate,
  objective,
  regularizers,
  judge,
  embed,
}: ResolvedConfig): ResolvedComponent[] {
  const withInner = (reward: ResolvedComponent): ResolvedComponent[] => [...reward.inner.flatMap(withInner), reward];
  return [environment, sampler, ...rewards.flatMap(withInner), advantage, gate, objective, ...regularizers, judge, embed].filter(
    (part) => part !== undefined,
  );
}

/** Types of the columns that are not standard, as the components declare them. */
export const specsOf = (parts: readonly ResolvedComponent[]): ColumnSpecs =>
  Object.fromEntries(
    parts
      .flatMap(({ component }) => [...component.reads, ...component.writes].map(referenceOf))
      .flatMap(({ name, spec }) => (spec === undefined ? [] : [[name, spec]])),
  );
