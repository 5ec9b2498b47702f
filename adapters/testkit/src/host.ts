import {
  type AdvantageEstimator,
  type Batch,
  type ColumnInput,
  DataError,
  type EstimateResult,
  isStandardColumn,
  type MaybeStateful,
  type Metrics,
  type Options,
  type PromiseName,
  Random,
  type RewardModel,
  type RewardResult,
  ROWS,
  STRUCTURE,
  type State,
  type StepContext,
  toJson,
  tracked,
  wasRead,
} from "@proximal/core";
import { type BatchShape, check, poisonedAt } from "@proximal/core/testing";
import { batchFor, without } from "./batches.js";
import { type Check, type Effort, promiseCheck, type Work, within } from "./check.js";
import { optionSets } from "./options.js";
import { onShapes } from "./property.js";
import { servicesFor } from "./services.js";
import { sameState } from "./state.js";
import { build, declaredReads, declaredWrites, optionalReads, type Subject } from "./subject.js";

type HostComponent = (AdvantageEstimator | RewardModel) & MaybeStateful;

/** What an estimator or a reward model made of a batch, in one form. */
interface Made {
  batch: Batch;
  columns: Readonly<Record<string, ColumnInput>>;
  metrics: Metrics;
  state: State | undefined;
}

/** Columns that enter the loss: they must be finite wherever a token counts. */
const CREDITS = ["advantages", "weights", "tokenWeights", "returns", "localAdvantages", "globalAdvantages", "localWeights"];

interface How {
  seed?: number;
  state?: State;
  step?: number;
  instance?: HostComponent;
  /** Gets the names of the columns that the component asks for. */
  seen?: Set<string>;
}

async function run(subject: Subject<HostComponent>, given: Batch, options: Options = {}, how: How = {}): Promise<Made> {
  const instance = how.instance ?? build(subject, options);
  const context: StepContext = {
    step: how.step ?? 0,
    state: how.state ?? instance.initialState?.() ?? { version: 0 },
    services: servicesFor(subject.metadata.requires),
    random: new Random(how.seed ?? 1),
  };
  const batch = how.seen === undefined ? given : tracked(given, how.seen);
  if (subject.point === "advantage") {
    const { columns, metrics = {}, state }: EstimateResult = await (instance as AdvantageEstimator).estimate(batch, context);
    return { batch: given.with(columns, subject.specs), columns, metrics, state };
  }
  const names = subject.examples.inner ?? ["first", "second"];
  // What an inner reward cannot verify is NaN.
  const texts = given.strings("completions");
  const rewards = given.f64("rewards").map((reward, row) => (texts[row]!.length % 3 === 2 ? Number.NaN : reward));
  const inner = { rewards, components: Object.fromEntries(names.map((name, k) => [name, rewards.map((reward) => reward / (k + 1))])) };
  const result: RewardResult = await (instance as RewardModel).score(batch, { ...context, ...(subject.metadata.wraps ? { inner } : {}) });
  check(result.rewards.length === batch.rows, `it gives ${result.rewards.length} rewards for ${batch.rows} responses`);
  const total = Float64Array.from(result.rewards, (value) => value ?? Number.NaN);
  const columns = { ...result.columns, rewards: total };
  const parts = Object.fromEntries(
    Object.entries(result.components ?? {}).map(([name, values]) => [
      `component ${name}`,
      Float64Array.from(values, (v) => v ?? Number.NaN),
    ]),
  );
  return {
    batch: given.with({ ...columns, ...parts }, subject.specs),
    columns: { ...columns, ...parts },
    metrics: result.metrics ?? {},
    state: result.state,
  };
}

/** The same with what it does after the step's updates. */
async function takeStep(subject: Subject<HostComponent>, batch: Batch, options: Options, how: How): Promise<Made> {
  const instance = how.instance ?? build(subject, options);
  const made = await run(subject, batch, options, { ...how, instance });
  const state = made.state ?? how.state ?? instance.initialState?.();
  if (instance.afterUpdate === undefined || state === undefined) return made;
  const services = servicesFor(subject.metadata.requires);
  const after = how.seen === undefined ? made.batch : tracked(made.batch, how.seen, new Set(Object.keys(made.columns)));
  return { ...made, state: await instance.afterUpdate({ observed: {}, batch: after, services, state, step: how.step ?? 0 }) };
}

/** Promises of an advantage estimator or a reward model. */
export function hostChecks(subject: Subject<HostComponent>, effort: Effort): Check[] {
  const { name, metadata } = subject;
  const one = (promise: PromiseName, go: Work) => promiseCheck(name, promise, metadata.exceptions?.[promise], go, effort);
  const everywhere = async (go: (batch: Batch, options: Options) => Promise<void>) => {
    await go(batchFor(subject, 1), {});
    await onShapes(effort.runs, (seed, shape) => go(batchFor(subject, seed, shape), {}));
    if (effort.allOptions)
      for (const { title, options } of optionSets(subject)) await within(`with ${title}`, () => go(batchFor(subject, 1), options));
  };
  return [
    one("deterministic", () =>
      everywhere(async (batch, options) => {
        const before = snapshotOf(batch);
        const [a, b] = [await run(subject, batch, options), await run(subject, batch, options)];
        check(snapshotOf(batch) === before, "it changes the batch that it is given");
        sameNumbers(a, b, "a second call", 0);
      }),
    ),
    one("rowOrder", () =>
      everywhere(async (batch, options) => {
        const base = await run(subject, batch, options);
        // What is drawn at random differs between rows: their order matters as another seed does.
        if (!agree(base, await run(subject, batch, options, { seed: 2 }))) return;
        const order = new Random(5).permutation(batch.rows);
        const shuffled = await run(subject, batch.select(order), options);
        const back = Int32Array.from({ length: batch.rows }, (_, row) => order.indexOf(row));
        sameNumbers({ ...shuffled, batch: shuffled.batch.select(back) }, base, "another order of the rows", 1e-9, true);
      }),
    ),
    one("maskedNaN", () =>
      everywhere(async (batch, options) => {
        const { masked, poisoned } = poisonedAt(batch, [1, 4, 9], subject.specs);
        sameNumbers(await run(subject, poisoned, options), await run(subject, masked, options), "NaN at masked positions", 0, true);
      }),
    ),
    one("degenerate", async () => {
      for (const [what, shape] of Object.entries(DEGENERATE)) {
        const batch = batchFor(subject, 3, shape);
        const none = new Uint8Array(batch.tokens);
        const cases: Readonly<Record<string, Batch>> = {
          "": batch,
          ", all masked": batch.with({ mask: none }),
          ", equal rewards": batch.with({ rewards: new Float64Array(batch.rows).fill(0.3), correct: new Float64Array(batch.rows) }),
          ", rewards of 1e6": batch.with({ rewards: batch.f64("rewards").map((x) => 1e6 * x) }),
        };
        for (const [how, given] of Object.entries(cases)) finite(await unlessRefused(() => run(subject, given)), what + how);
      }
    }),
    one("extremes", async () => {
      const batch = batchFor(subject, 1);
      const logps = ["logp", "oldLogp", "refLogp", "teacherLogp"].map((column, i) => {
        const values = Float64Array.from(batch.f64(column));
        values[i] = -1e4;
        values[8 + i] = Math.min(-50, values[8 + i]! - 50);
        return [column, values];
      });
      finite(await run(subject, batch.with(Object.fromEntries(logps))), "extreme log-probs");
    }),
    one("borders", async () => {
      for (const { title, options } of optionSets(subject)) {
        await within(`with ${title}`, async () => finite(await run(subject, batchFor(subject, 1), options), "an ordinary batch"));
      }
    }),
    one("state", async () => {
      const instance = build(subject);
      const state = instance.initialState?.();
      const go = async (from: State, steps: readonly number[], used: HostComponent): Promise<State> => {
        let current = from;
        for (const step of steps) {
          const before = toJson(current);
          const made = await takeStep(subject, batchFor(subject, step + 1), {}, { state: current, step, instance: used, seed: step });
          check(toJson(current) === before, "it changes the state that it is given instead of returning a new one");
          current = made.state ?? current;
        }
        return current;
      };
      if (state === undefined) {
        const again = build(subject);
        for (const seed of [1, 2, 3]) await run(subject, batchFor(subject, seed), {}, { instance: again });
        sameNumbers(
          await run(subject, batchFor(subject, 4), {}, { instance: again }),
          await run(subject, batchFor(subject, 4)),
          "a used instance",
          0,
        );
        return;
      }
      check(toJson(state) === toJson(instance.initialState!()), "initialState differs from call to call");
      await sameState(
        await go(state, [0, 1], instance),
        (from, used) => go(from, [2, 3], used),
        () => build(subject),
        instance,
      );
    }),
    one("reads", () => columns(subject)),
    one("metrics", async () => {
      const dark = new Map<string, number>();
      const seeds = Array.from({ length: 3 + effort.runs }, (_, i) => i + 1);
      for (const seed of seeds) {
        const { metrics } = await run(subject, batchFor(subject, seed));
        for (const [metric, value] of Object.entries(metrics)) {
          check(Number.isNaN(value) || Number.isFinite(value), `its metric ${metric} is ${value}`);
          if (Number.isNaN(value)) dark.set(metric, (dark.get(metric) ?? 0) + 1);
        }
      }
      const never = [...dark].filter(([, count]) => count === seeds.length).map(([metric]) => metric);
      check(never.length === 0, `its metric ${never.join(", ")} is NaN on every ordinary batch`);
    }),
  ];
}

const DEGENERATE: Readonly<Record<string, BatchShape>> = {
  "an empty response": { lengths: [3, 0, 2, 2], group: [0, 0, 1, 1] },
  "a group of one": { lengths: [3, 2, 2], group: [0, 1, 1] },
  "one response of one token": { lengths: [1], group: [0] },
  "an empty response alone": { lengths: [0], group: [0] },
};

/** null where the component refuses the data as outside of what it can treat. */
async function unlessRefused(go: () => Promise<Made>): Promise<Made | null> {
  try {
    return await go();
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}

/** What must be finite of the results; NaN elsewhere stands for a number that does not exist, infinities never do. */
function finite(made: Made | null, where: string): void {
  if (made === null) return;
  const { batch, columns, metrics } = made;
  const mask = batch.f64("mask");
  for (const name of Object.keys(columns)) {
    const { dtype, at } = batch.column(name);
    if (dtype !== "f64") continue;
    const values = batch.f64(name);
    const width = Math.max(1, values.length / Math.max(1, at === "token" ? batch.tokens : batch.rows));
    const wrong = values.findIndex((x, i) => {
      if (at === "token" && !mask[Math.floor(i / width)]) return false;
      return CREDITS.includes(name) ? !Number.isFinite(x) : Math.abs(x) === Number.POSITIVE_INFINITY;
    });
    check(wrong < 0, `${where}: ${name}[${wrong}] is ${values[wrong]}`);
  }
  for (const [name, value] of Object.entries(metrics))
    check(Number.isNaN(value) || Number.isFinite(value), `${where}: the metric ${name} is ${value}`);
}

const snapshotOf = (batch: Batch): string => toJson(Object.fromEntries(batch.names.map((name) => [name, batch.column(name).values])));

const agree = (a: Made, b: Made): boolean => {
  try {
    sameNumbers(a, b, "", 0);
    return true;
  } catch {
    return false;
  }
};

/** Columns of rows and tokens and metrics agree; `unmasked`: only where a token counts. */
function sameNumbers(a: Made, b: Made, what: string, tolerance: number, unmasked = false): void {
  const near = (x: number, y: number) => Object.is(x, y) || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y)) || x === y;
  const mask = b.batch.f64("mask");
  for (const name of Object.keys(b.columns)) {
    const { at, dtype } = b.batch.column(name);
    if (at !== "token" && at !== "row") continue;
    if (dtype === "json" || dtype === "string") {
      const [x, y] = [toJson(a.batch.column(name).values), toJson(b.batch.column(name).values)];
      check(x === y, `${what} changes ${name}`);
      continue;
    }
    const [x, y] = [a.batch.f64(name), b.batch.f64(name)];
    const width = Math.max(1, y.length / Math.max(1, at === "token" ? b.batch.tokens : b.batch.rows));
    const counts = (i: number) => !unmasked || at === "row" || mask[Math.floor(i / width)] === 1;
    const wrong = y.findIndex((value, i) => counts(i) && !near(x[i]!, value));
    check(wrong < 0, `${what} changes ${name}[${wrong}] from ${y[wrong]} to ${x[wrong]}`);
  }
  for (const [name, value] of Object.entries(b.metrics))
    check(near(a.metrics[name]!, value), `${what} changes the metric ${name} from ${value} to ${a.metrics[name]}`);
}

/** What it reads and writes against what it declares. */
async function columns(subject: Subject<HostComponent>): Promise<string[]> {
  const writes = declaredWrites(subject);
  const optional = optionalReads(subject);
  const [read, declared, written] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { title, options } of [{ title: "the defaults", options: {} }, ...optionSets(subject)]) {
    const names = declaredReads(subject, options);
    const seen = new Set<string>();
    const batch = batchFor(subject, 1);
    const made = await takeStep(subject, batch, options, { seen });
    await within("with no optional column", async () => {
      await run(subject, without(batch, optional), options, { seen });
    });
    const undeclared = [...seen].filter((column) => !names.has(column) && column !== ROWS);
    check(undeclared.length === 0, `with ${title} it reads ${undeclared.join(", ")}, which its reads do not name`);
    for (const column of Object.keys(made.columns)) {
      if (column.startsWith("component ") || (subject.point === "reward" && column === "rewards")) continue;
      check(writes.has(column), `with ${title} it writes ${column}, which its writes do not name`);
      check(isStandardColumn(column) || subject.specs[column] !== undefined, `it writes ${column}, whose type nobody declares`);
      written.add(column);
    }
    for (const column of names) if (!STRUCTURE.has(column)) declared.add(column);
    for (const column of seen) read.add(column);
  }
  return [
    ...[...declared].filter((column) => !wasRead(column, read)).map((column) => `it declares to read "${column}" and never does`),
    ...[...writes].filter((column) => !written.has(column)).map((column) => `it declares to write "${column}" and never does`),
  ];
}
