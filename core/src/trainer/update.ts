import type { TrainerSection } from "../config/index.js";
import type { PolicyBackend, StepValues, UpdateRequest, UpdateResult } from "../policy/index.js";
import { type Batch, lossMask, type Random } from "../rollout/index.js";
import type { Run } from "./run.js";
import { stepValuesOf } from "./services.js";

/** Log-probs that one update saw. */
export interface SeenLogp {
  /** Rows of the update among those that were trained on. */
  rows: Int32Array;
  /** Flat over their response tokens, nats. */
  logp: Float64Array;
  stepValues: StepValues;
}

/** What the updates of one step did. Means are over the updates that were not skipped. */
export interface Updates {
  count: number;
  skipped: number;
  loss: number;
  gradNorm: number;
  /** `<term>.<observation>` → mean value. */
  observed: Readonly<Record<string, Float64Array>>;
  /** KL(policy that sampled || current policy), k3 estimate over all updates, nats a token. */
  kl: number;
  /** |log-prob of the trainer - log-prob of the sampler| before the first update: mean and largest, nats. */
  logpGap: number;
  logpGapMax: number;
  /** Of the last pass over the batch, one entry an update. */
  seen: readonly SeenLogp[];
}

/** Called before each update with its request; `isLast` for the last one of the step. */
export type BeforeUpdate = (request: UpdateRequest, isLast: boolean) => Promise<void>;

/** Epochs × mini-batches of updates. Groups are never split. */
export async function updatePolicy(
  run: Run,
  batch: Batch,
  step: number,
  learningRate: number,
  random: Random,
  before?: BeforeUpdate,
): Promise<Updates> {
  const { trainer, sampling } = run.settings;
  const stepValues = stepValuesOf(run, step, learningRate);
  const tally = new Tally();
  const seen: SeenLogp[] = [];
  // Who wants to see each update's policy gets them one by one.
  const runs = inRuns(partsOf(batch, trainer, random), before === undefined ? run.policy : {});
  for (const parts of runs) {
    const requests = parts.map(({ batch }) => ({
      program: run.program,
      batch,
      stepValues,
      learningRate,
      temperature: sampling.temperature,
    }));
    await before?.(requests[0]!, parts[0]!.isLast);
    const results = requests.length > 1 ? await run.policy.updateAll!(requests) : [await run.policy.update(requests[0]!)];
    for (const [i, { batch, rows, isLastPass }] of parts.entries()) {
      const result = results[i]!;
      tally.add(batch, result);
      if (isLastPass && result.logp !== undefined) seen.push({ rows, logp: result.logp, stepValues });
    }
  }
  return { ...tally.result(), seen };
}

interface Part {
  rows: Int32Array;
  batch: Batch;
  /** Of the last pass over the batch. */
  isLastPass: boolean;
  /** The last of all. */
  isLast: boolean;
}

function* partsOf(batch: Batch, { epochs, miniBatches: count }: TrainerSection, random: Random): Generator<Part> {
  for (let epoch = 0; epoch < epochs; epoch++) {
    const isLastPass = epoch === epochs - 1;
    const parts = miniBatches(batch, count, random.fork("mini-batches", epoch));
    for (const [i, rows] of parts.entries()) {
      const part = rows.length === batch.rows ? batch : batch.select(rows);
      yield { rows, batch: part, isLastPass, isLast: isLastPass && i === parts.length - 1 };
    }
  }
}

/** As many at once as the policy takes. */
function* inRuns(
  parts: Iterable<Part>,
  { updateAll, updatesPerRun = 1 }: Pick<PolicyBackend, "updateAll" | "updatesPerRun">,
): Generator<Part[]> {
  const most = updateAll === undefined ? 1 : updatesPerRun;
  let waiting: Part[] = [];
  for (const part of parts) {
    waiting.push(part);
    if (waiting.length < most) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0) yield waiting;
}

/** Rows of each mini-batch, ascending: groups in random order, dealt into parts of nearly equal numbers of groups. */
export function miniBatches(batch: Batch, count: number, random: Random): Int32Array[] {
  const parts = Math.min(count, batch.groups);
  if (parts <= 1) return batch.rows === 0 ? [] : [Int32Array.from({ length: batch.rows }, (_, row) => row)];
  const order = [...random.permutation(batch.groups)];
  return Array.from({ length: parts }, (_, part) => {
    const groups = order.slice(Math.floor((part * order.length) / parts), Math.floor(((part + 1) * order.length) / parts));
    return Int32Array.from(groups.flatMap((group) => [...batch.groupRows[group]!])).sort();
  });
}

class Tally {
  private count = 0;
  private skipped = 0;
  private loss = 0;
  private gradNorm = 0;
  private readonly observed = new Map<string, Float64Array>();
  private klSum = 0;
  private tokens = 0;
  private gap = { mean: Number.NaN, max: Number.NaN };

  add(batch: Batch, { loss, gradNorm, skipped, observed, logp }: UpdateResult): void {
    this.count++;
    if (skipped) {
      this.skipped++;
      return;
    }
    this.loss += loss;
    this.gradNorm += gradNorm;
    for (const [name, values] of Object.entries(observed)) {
      const sum = this.observed.get(name);
      // A value of each row or token has another length in every mini-batch: the last one stands.
      this.observed.set(name, sum?.length === values.length ? sum.map((x, i) => x + values[i]!) : values);
    }
    if (logp !== undefined) this.compare(batch, logp);
  }

  private compare(batch: Batch, logp: Float64Array): void {
    const sampler = batch.f64(batch.has("samplerLogp") ? "samplerLogp" : "oldLogp");
    const mask = lossMask(batch);
    let [count, absolute, largest] = [0, 0, 0];
    for (let t = 0; t < mask.length; t++) {
      if (!mask[t]) continue;
      const difference = logp[t]! - sampler[t]!;
      count++;
      absolute += Math.abs(difference);
      largest = Math.max(largest, Math.abs(difference));
      this.klSum += Math.expm1(difference) - difference;
    }
    this.tokens += count;
    if (Number.isNaN(this.gap.mean) && this.count === 1 && count > 0) this.gap = { mean: absolute / count, max: largest };
  }

  result(): Omit<Updates, "seen"> {
    const done = this.count - this.skipped;
    const average = (values: Float64Array) => values.map((value) => value / done);
    return {
      count: this.count,
      skipped: this.skipped,
      loss: this.loss / done,
      gradNorm: this.gradNorm / done,
      observed: Object.fromEntries([...this.observed].map(([name, values]) => [name, average(values)])),
      kl: this.klSum / this.tokens,
      logpGap: this.gap.mean,
      logpGapMax: this.gap.max,
    };
  }
}
