import type { Metrics } from "../extension/index.js";
import type { Batch } from "../rollout/index.js";
import { addPolicyColumns, completeFactors } from "./columns.js";
import { episodeMetrics, prefixed, residentMemory, rolloutMetrics, verifiedRows } from "./metrics.js";
import { Meter, makeGenerate } from "./rollout.js";
import type { Run } from "./run.js";
import { learningRateAt } from "./schedule.js";
import { scoreGroups } from "./scoring.js";
import { Stopwatch } from "./stopwatch.js";
import { type BeforeUpdate, type SeenLogp, type Updates, updatePolicy } from "./update.js";

export interface StepOutcome {
  /** Everything that is reported of the step; NaN where a value does not exist. */
  metrics: Metrics;
  /** All rows that were sampled, scored. */
  sampled: Batch;
  /** The rows that took part in the update, with advantages; `rolloutRow` names their place among the sampled. */
  trained: Batch;
  /** Log-probs that the updates of the last pass saw. */
  seen: readonly SeenLogp[];
}

/** Who looks on while a step is computed. */
export interface StepHooks {
  /** The rows that have a reward, with what the policy gives to components on the host, before the advantages. */
  known?(batch: Batch): Promise<void>;
  beforeUpdate?: BeforeUpdate;
}

/** One step of training, from 0: sample, score, estimate, update. */
export async function trainingStep(run: Run, step: number, { known: onKnown, beforeUpdate }: StepHooks = {}): Promise<StepOutcome> {
  const clock = new Stopwatch();
  run.meter.take();
  const learningRate = run.intervention.learningRateFactor * learningRateAt(step, run.settings.trainer.steps, run.settings.optimizer);

  const { sampled, metrics: sampling } = await sample(run, step, clock);
  // Rows without a reward take no part: neither in the update nor in their group's statistics.
  const verified = verifiedRows(sampled);
  const known = await clock.time("score", () => addPolicyColumns(run, verified, run.columnsOnHost, run.settings.trainer.recomputeOldLogp));
  await onKnown?.(known);
  const { trained, metrics: estimation } = await creditRows(run, known, step);
  const before = await run.policy.fingerprint?.();
  const updates = await clock.time("update", () =>
    updatePolicy(run, trained, step, learningRate, run.random.fork("step", step), beforeUpdate),
  );
  const after = await run.policy.fingerprint?.();
  await afterUpdate(run, trained, updates, step);

  const metrics: Metrics = {
    step: step + 1,
    loss: updates.loss,
    gradNorm: updates.gradNorm,
    learningRate,
    updates: updates.count,
    skipped: updates.skipped,
    trainedRows: trained.rows,
    ...(before === undefined ? {} : { weightsChanged: before === after ? 0 : 1 }),
    ...rolloutMetrics(sampled, run.composition.rewards),
    ...(run.composition.environment === undefined ? {} : episodeMetrics(sampled, run.composition.environment)),
    ...updateMetrics(run, updates),
    ...run.meter.take(),
    ...sampling,
    ...estimation,
    secondsGenerate: clock.seconds("generate"),
    secondsReward: clock.seconds("reward"),
    secondsScore: clock.seconds("score"),
    secondsUpdate: clock.seconds("update"),
    seconds: clock.total,
    secondsCpu: clock.processor,
    tokensPerSecond: sampled.tokens / clock.total,
    rss: residentMemory(),
  };
  return { metrics, sampled, trained, seen: updates.seen };
}

/** Groups as the sampler chose them, scored. */
async function sample(run: Run, step: number, clock: Stopwatch): Promise<{ sampled: Batch; metrics: Metrics }> {
  const { sampler } = run.composition;
  const meter = new Meter(run.policy);
  const generate = makeGenerate(run, step, meter.policy);
  let rewardMetrics: Metrics = {};
  const collected = await sampler.component.collect({
    ...run.contextOf(sampler, step),
    prompts: run.data.train,
    maxTokens: run.settings.sampling.maxTokens,
    policy: meter.policy,
    generate: (requests, options) => clock.time("generate", () => generate(requests, options)),
    score: async (groups) => {
      const { batch, metrics } = await clock.time("reward", () => scoreGroups(run, groups, step));
      rewardMetrics = metrics;
      return batch;
    },
  });
  run.states.set(sampler, collected.state);
  const { batch } = collected;
  const sampled = batch.with({ rolloutRow: Int32Array.from({ length: batch.rows }, (_, row) => row) }, run.specs);
  const drawn = { drawnResponses: meter.responses, drawnTokens: meter.tokens };
  return { sampled, metrics: { ...drawn, ...rewardMetrics, ...prefixed(sampler.id, collected.metrics) } };
}

/** The rows that take part in the update, with advantages and all that the loss reads. */
export async function creditRows(run: Run, known: Batch, step: number): Promise<{ trained: Batch; metrics: Metrics }> {
  const { batch, metrics } = await estimate(run, known, step);
  return { trained: completeFactors(run, keep(batch)), metrics };
}

async function estimate(run: Run, batch: Batch, step: number): Promise<{ batch: Batch; metrics: Metrics }> {
  const { advantage } = run.composition;
  if (advantage === null || batch.rows === 0) return { batch, metrics: {} };
  const { columns, state, metrics } = await advantage.component.estimate(batch, run.contextOf(advantage, step));
  run.states.set(advantage, state);
  return { batch: batch.with(columns, run.specs), metrics: prefixed(advantage.id, metrics) };
}

/** The rows that no component took out. */
function keep(batch: Batch): Batch {
  if (!batch.has("keep")) return batch;
  const kept = batch.f64("keep");
  return batch.select([...kept.keys()].filter((row) => kept[row] !== 0));
}

async function afterUpdate(run: Run, batch: Batch, { observed }: Updates, step: number): Promise<void> {
  for (const placed of run.components) {
    const own = Object.entries(observed).flatMap(([name, values]) =>
      name.startsWith(`${placed.id}.`) ? [[name.slice(placed.id.length + 1), values] as const] : [],
    );
    const { state, services } = run.contextOf(placed, step);
    const outcome = { observed: Object.fromEntries(own), batch, services, state, step };
    run.states.set(placed, await placed.component.afterUpdate?.(outcome));
  }
}

/** What the updates saw, and how the terms of the loss came out. */
function updateMetrics(run: Run, { observed, kl, logpGap, logpGapMax }: Updates): Metrics {
  const scalars = Object.fromEntries(Object.entries(observed).flatMap(([name, v]) => (v.length === 1 ? [[name, v[0]!]] : [])));
  const gate = run.composition.terms[0]?.id;
  const side = (name: string) => scalars[`${gate}.clipFraction${name}`] ?? 0;
  const observedEntropy = Object.keys(scalars).find((name) => name.endsWith(".entropy"));
  return {
    kl,
    clipFraction: scalars[`${gate}.clipFraction`] ?? side("High") + side("Low"),
    ...(observedEntropy === undefined ? {} : { entropy: scalars[observedEntropy]! }),
    logpGap,
    logpGapMax,
    ...scalars,
  };
}
