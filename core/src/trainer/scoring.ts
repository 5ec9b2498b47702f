import { PluginError } from "../errors.js";
import type { Metrics, ServiceName } from "../extension/index.js";
import { Batch, type ColumnInput, type Group } from "../rollout/index.js";
import { addDataColumns, addPolicyColumns } from "./columns.js";
import { type PlacedReward, readBy, withInner, writtenBy } from "./composition.js";
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
  /** What the models wrote, beside their rewards. */
  columns: Readonly<Record<string, ColumnInput>>;
  /** [B] weighted sum; NaN = unverifiable. */
  total: Float64Array;
  /** [B] each, unweighted, by id. */
  components: Readonly<Record<string, Float64Array>>;
  /** [B] the first model's reward before any wrapper shaped it. */
  first?: Float64Array;
  metrics: Metrics;
}

/** A reward model's outcome, those of the models that it wraps included. */
interface One extends Pick<Sum, "columns" | "metrics"> {
  rewards: Float64Array;
  first: Float64Array;
}

/** Scores groups with the run's reward models: reward = Σ weight · component. `states` are read and advanced. */
export async function scoreGroups(run: Run, groups: readonly Group[], step: number, states: States = run.states): Promise<Scored> {
  refuseTrainedObservations(run, groups);
  const rollouts = addDataColumns(run, Batch.fromGroups(groups, run.specs));
  const seen = await addPolicyColumns(run, rollouts, run.earlyColumns);
  const { total, components, first, metrics, columns: written } = await sumOf(run, run.composition.rewards, seen, step, states);
  const batch = seen.with(written, run.specs);
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

/** Models that ask the policy do so one after another, in an order that does not depend on how long others take. */
const POLICY_SERVICES: ReadonlySet<string> = new Set<ServiceName>(["scoreTokens", "policyGradient", "likelihoodGradient"]);
const asksPolicy = (part: PlacedReward): boolean =>
  withInner(part).some(({ metadata }) => metadata.requires?.some((service) => POLICY_SERVICES.has(service)));

/** Whether a model has to wait for an earlier one of the list. */
function waitsFor(part: PlacedReward, earlier: PlacedReward): boolean {
  const reads = readBy(withInner(part));
  return [...writtenBy(withInner(earlier))].some((column) => reads.has(column)) || (asksPolicy(part) && asksPolicy(earlier));
}

/**
 * The models' rewards, as if one had scored after the other: those that do not need each other run at the same time, at most
 * `trainer.rewardConcurrency` of them. A component of weight 0 is only reported: what it cannot verify does not count.
 */
async function sumOf(run: Run, parts: readonly PlacedReward[], given: Batch, step: number, states: States): Promise<Sum> {
  const started: Promise<One>[] = [];
  parts.forEach((part, i) => {
    const needed = started.filter((_, k) => waitsFor(part, parts[k]!));
    started[i] = Promise.all(needed).then((earlier) =>
      scoreOne(run, part, given.with(Object.assign({}, ...earlier.map(({ columns }) => columns)), run.specs), step, states),
    );
  });
  // The first of the list that failed is told, whichever failed first.
  const scored: One[] = [];
  for (const outcome of await Promise.allSettled(started)) {
    if (outcome.status === "rejected") throw outcome.reason;
    scored.push(outcome.value);
  }
  let total = new Float64Array(given.rows);
  parts.forEach(({ weight }, i) => {
    if (weight !== 0) total = total.map((reward, row) => reward + weight * scored[i]!.rewards[row]!);
  });
  return {
    total,
    columns: Object.assign({}, ...scored.map(({ columns }) => columns)),
    components: Object.fromEntries(scored.map(({ rewards }, i) => [parts[i]!.id, rewards])),
    first: scored[0]?.first,
    metrics: Object.assign({}, ...scored.map(({ metrics }) => metrics)),
  };
}

async function scoreOne(run: Run, part: PlacedReward, given: Batch, step: number, states: States): Promise<One> {
  const inner = part.inner.length === 0 ? undefined : await sumOf(run, part.inner, given, step, states);
  const context = {
    ...run.contextOf(part, step, states),
    ...(inner === undefined ? {} : { inner: { rewards: inner.total, components: inner.components } }),
  };
  const seen = inner === undefined ? given : given.with(inner.columns, run.specs);
  const result = await run.rewardLimit(() => scoreSafely(part, seen, context));
  states.set(part, result.state);
  const rewards = numbers(part, "rewards", result.rewards, given.rows);
  const parts: Record<string, Float64Array> = {};
  const metrics: Record<string, number> = { ...inner?.metrics, ...prefixed(part.id, result.metrics) };
  for (const [name, values] of Object.entries(result.components ?? {})) {
    const component = numbers(part, name, values, given.rows);
    parts[`${part.id}.${name}`] = component;
    metrics[`reward.${part.id}.${name}`] = meanOfFinite(component);
  }
  return { rewards, first: inner?.first ?? rewards, columns: { ...inner?.columns, ...parts, ...result.columns }, metrics };
}

function numbers(part: PlacedReward, what: string, values: ArrayLike<number | null>, rows: number): Float64Array {
  if (values.length !== rows) throw new PluginError(`the reward "${part.id}" returned ${values.length} ${what} for ${rows} responses`);
  return Float64Array.from(values, (value) => value ?? Number.NaN);
}

function meanOfFinite(values: Float64Array): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}
