import { PluginError } from "../errors.js";
import type { Metrics } from "../extension/index.js";
import { Batch, type ColumnInput, type Group } from "../rollout/index.js";
import { addDataColumns, addPolicyColumns } from "./columns.js";
import type { PlacedReward } from "./composition.js";
import { prefixed } from "./metrics.js";
import { scoreSafely } from "./reward-failure.js";
import type { Run } from "./run.js";
import type { States } from "./states.js";

export interface Scored {
  /** With `rewards`, `rewardComponents`, `correct` and whatever the reward models wrote. */
  batch: Batch;
  metrics: Metrics;
}

interface Sum {
  batch: Batch;
  /** [B] weighted sum; NaN = unverifiable. */
  total: Float64Array;
  /** [B] each, unweighted, by id. */
  components: Record<string, Float64Array>;
  /** [B] the first model's reward before any wrapper shaped it. */
  first?: Float64Array;
  metrics: Metrics;
}

/** Scores groups with the run's reward models: reward = Σ weight · component. `states` are read and advanced. */
export async function scoreGroups(run: Run, groups: readonly Group[], step: number, states: States = run.states): Promise<Scored> {
  refuseTrainedObservations(run, groups);
  const rollouts = addDataColumns(run, Batch.fromGroups(groups, run.specs));
  const seen = await addPolicyColumns(run, rollouts, run.earlyColumns);
  const { batch, total, components, first, metrics } = await sumOf(run, run.composition.rewards, seen, step, states);
  const names = Object.keys(components);
  const interleaved = new Float64Array(batch.rows * names.length);
  names.forEach((name, k) => {
    for (let row = 0; row < batch.rows; row++) interleaved[row * names.length + k] = components[name]![row]!;
  });
  const specs = { ...run.specs, rewardComponents: { at: "row", dtype: "f64", width: Math.max(1, names.length) } } as const;
  const columns: Record<string, ColumnInput> = { rewards: total };
  if (names.length > 0) columns.rewardComponents = interleaved;
  if (first !== undefined && !batch.has("correct")) columns.correct = first.map((r) => (Number.isNaN(r) ? r : r > 0.5 ? 1 : 0));
  return { batch: batch.with(columns, specs), metrics };
}

/** A sampler that puts responses together itself must keep what the environment said out of the update. */
function refuseTrainedObservations({ composition: { environment, sampler } }: Run, groups: readonly Group[]): void {
  if (environment === undefined) return;
  for (const { tokens, mask, columns } of groups.flatMap(({ trajectories }) => trajectories)) {
    const observed = columns?.observed as readonly number[] | undefined;
    if (observed?.length === tokens.length && !mask.some((trained, t) => trained && observed[t])) continue;
    throw new PluginError(
      `the sampler "${sampler.id}" builds responses of its own, which the environment "${environment.id}" is no part of`,
      {
        hint: "use a sampler that takes whole responses, such as independent",
      },
    );
  }
}

/** A component of weight 0 is only reported: what it cannot verify does not count. */
async function sumOf(run: Run, parts: readonly PlacedReward[], given: Batch, step: number, states: States): Promise<Sum> {
  const sum: Sum = { batch: given, total: new Float64Array(given.rows), components: {}, metrics: {} };
  for (const part of parts) {
    const { rewards, batch, first, metrics } = await scoreOne(run, part, sum.batch, step, states);
    sum.batch = batch;
    sum.first ??= first;
    sum.components[part.id] = rewards;
    sum.metrics = { ...sum.metrics, ...metrics };
    if (part.weight !== 0) sum.total = sum.total.map((reward, row) => reward + part.weight * rewards[row]!);
  }
  return sum;
}

async function scoreOne(run: Run, part: PlacedReward, given: Batch, step: number, states: States) {
  const inner = part.inner.length === 0 ? undefined : await sumOf(run, part.inner, given, step, states);
  const result = await scoreSafely(part, inner?.batch ?? given, {
    ...run.contextOf(part, step, states),
    ...(inner === undefined ? {} : { inner: { rewards: inner.total, components: inner.components } }),
  });
  states.set(part, result.state);
  const rewards = numbers(part, "rewards", result.rewards, given.rows);
  const parts: Record<string, ColumnInput> = {};
  const metrics: Record<string, number> = { ...prefixed(part.id, result.metrics) };
  for (const [name, values] of Object.entries(result.components ?? {})) {
    parts[`${part.id}.${name}`] = numbers(part, name, values, given.rows);
    metrics[`reward.${part.id}.${name}`] = meanOfFinite(parts[`${part.id}.${name}`] as Float64Array);
  }
  const batch = (inner?.batch ?? given).with({ ...parts, ...result.columns }, run.specs);
  return { rewards, batch, first: inner?.first ?? rewards, metrics: { ...inner?.metrics, ...metrics } };
}

function numbers(part: PlacedReward, what: string, values: ArrayLike<number | null>, rows: number): Float64Array {
  if (values.length !== rows) throw new PluginError(`the reward "${part.id}" returned ${values.length} ${what} for ${rows} responses`);
  return Float64Array.from(values, (value) => value ?? Number.NaN);
}

function meanOfFinite(values: Float64Array): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}
