import { type ProgramFacts, programOf, type TermCase } from "../conformance/terms.js";
import { metadataUnder } from "../extension/component.js";
import { completeOptions } from "../extension/instantiate.js";
import { PROMISES, type PromiseName } from "../extension/promises.js";
import { bindProgram, evaluateProgram, type TermsOutcome, VARIABLES } from "../objective/evaluate.js";
import { type Batch, type ColumnInput, type ColumnSpecs, LEAST_LOGP, Random } from "../rollout/index.js";
import { checkGradient, type TensorValue } from "../tensor/index.js";
import { poisonedAt } from "./poison.js";
import { randomBatch } from "./random-batch.js";

const GRADIENTS = { logp: "gradLogp", entropy: "gradEntropy", values: "gradValues" } as const;

/** Rows and groups of a batch to make. */
export interface BatchShape {
  lengths: number[];
  group: number[];
}

export interface TermCheckOptions extends ProgramFacts {
  /** Columns beyond the standard ones, for the six rows (3, 5, 2, 4, 1 and 4 tokens) of the random batch. */
  extra?: Record<string, ColumnInput>;
  /** Makes batches of any shape in place of the random one. */
  batches?: (seed: number, shape?: BatchShape) => Batch;
  seed?: number;
}

/** Of float32 against float64: loss relative to max(1, |loss|); gradient in norm, relative to its norm or to 1 / tokens. */
export const FLOAT32_BOUND = 2e-5;

const worst = (a: readonly number[], b: readonly number[]): number =>
  a.reduce(
    (most, x, i) => Math.max(most, Object.is(x, b[i]) ? 0 : Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))),
    a.length === b.length ? 0 : Number.POSITIVE_INFINITY,
  );

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** Throws unless a loss in float32 is that in float64. */
export function nearInFloat32(single: number, double: number, what: string): void {
  check(worst([single], [double]) <= FLOAT32_BOUND, `${what} is ${single} in float32, ${double} in float64`);
}

/** Throws unless a gradient over so many tokens in float32 is that in float64. */
export function sameDirection(single: readonly number[], double: readonly number[], tokens: number, what: string): void {
  const error = norm(single.map((g, i) => g - double[i]!)) / Math.max(norm(double), 1 / tokens);
  check(error <= FLOAT32_BOUND, `${what} in float32 differs by ${error} of its norm`);
}

/** Throws the sentence unless `holds`. */
export function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

type TermChecks = Readonly<Partial<Record<PromiseName, () => void>>>;

/**
 * What every loss component must satisfy, as functions to run inside tests; each throws with a sentence that says what broke.
 * `terms` are evaluated through the program that a training run executes.
 */
export function termChecks(terms: TermCase | readonly TermCase[], options: TermCheckOptions = {}): TermChecks {
  const list = Array.isArray(terms) ? (terms as readonly TermCase[]) : [terms as TermCase];
  const { specs = {}, extra, seed = 1 } = options;
  const make = options.batches ?? ((seed: number, shape?: BatchShape) => randomBatch(seed, { ...shape, specs, extra: shape ? {} : extra }));
  const batch = make(seed);
  const { program, stepValues } = programOf(list, { available: (name) => name !== "weights" && name !== "tokenWeights", ...options });
  const run = (on: Batch, how: Parameters<typeof evaluateProgram>[3] = {}): TermsOutcome => evaluateProgram(program, on, stepValues, how);
  const variables = VARIABLES.filter((name) => program.outputs.has(name));
  const base = run(batch);
  const gradientOf = (outcome: TermsOutcome): number[] => variables.flatMap((name) => outcome[GRADIENTS[name]].flat());
  const same = (a: TermsOutcome, b: TermsOutcome, what: string, tolerance = 1e-10) => {
    check(Number.isFinite(b.loss), `the loss is ${b.loss}`);
    check(worst([a.loss], [b.loss]) <= tolerance, `${what} changes the loss from ${b.loss} to ${a.loss}`);
    for (const name of variables) {
      const error = worst(a[GRADIENTS[name]].flat(), b[GRADIENTS[name]].flat());
      check(error <= tolerance, `${what} changes d loss / d ${name} by ${error}`);
    }
    for (const [name, values] of Object.entries(b.observed)) {
      if (values.length !== 1) continue;
      check(
        worst([...a.observed[name]!], [...values]) <= tolerance,
        `${what} changes ${name} from ${values[0]} to ${a.observed[name]![0]}`,
      );
    }
  };
  const finite = ({ loss, observed, ...rest }: TermsOutcome, where: string) => {
    check(Number.isFinite(loss), `${where}: the loss is ${loss}`);
    const gradient = gradientOf({ loss, observed, ...rest });
    check(gradient.every(Number.isFinite), `${where}: the gradient is ${gradient.join(", ")}`);
    for (const [name, values] of Object.entries(observed))
      check(values.every(Number.isFinite), `${where}: ${name} is ${[...values].join(", ")}`);
  };
  /** A small batch, unless the program reads columns that only the caller can make. */
  const small = (shape: BatchShape): Batch | undefined =>
    options.batches === undefined && Object.keys(extra ?? {}).some((name) => program.columns.has(name)) ? undefined : make(seed + 7, shape);

  return {
    gradient: () => {
      const { loss, variables: leaves, feeds } = bindProgram(program, batch, stepValues);
      const plain = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, withoutNaN(value)]));
      // A kink within the step of a difference is no error: a smaller step passes it by.
      const checks = [1e-5, 1e-6, 1e-7].map(
        (epsilon) => () => checkGradient(loss, Object.values(leaves), plain, { epsilon, holdStopped: true }),
      );
      let found = checks[0]!();
      for (const again of checks.slice(1)) if (!(found.entryError <= 1e-5)) found = again();
      for (const { name, worst } of found.tensors) {
        const at = `d loss / d ${name.replace("policy:", "")}[${worst?.index}]`;
        check(worst === undefined || worst.error <= 1e-5, `${at} is ${worst?.analytic}, by differences ${worst?.numeric}`);
      }
    },
    rowOrder: () => {
      const order = new Random(seed).permutation(batch.rows);
      const shuffled = run(batch.select(order));
      const restored = { ...shuffled };
      for (const name of variables) {
        const rows = shuffled[GRADIENTS[name]];
        restored[GRADIENTS[name]] = Array.from(order, (_, row) => rows[order.indexOf(row)]!);
      }
      same(restored, base, "another order of the rows");
    },
    padding: () => same(run(batch, { padding: { rows: 2, tokens: 3 } }), base, "padding", 1e-12),
    microBatches: () => {
      // What mixes all rows is executed on log-probs first, in one piece.
      if (program.span === "batch") return;
      const isGroup = program.span === "group";
      const parts = isGroup ? [...batch.groupRows] : Array.from({ length: batch.rows }, (_, row) => Int32Array.of(row));
      const outcomes = parts.map((rows) => run(batch, { rows }));
      const sum = (of: (outcome: TermsOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
      const rowsOf = (key: (typeof GRADIENTS)[keyof typeof GRADIENTS]) => {
        const rows: number[][] = [];
        parts.forEach((part, i) => {
          part.forEach((row, j) => {
            rows[row] = outcomes[i]![key][j]!;
          });
        });
        return rows;
      };
      const observed = Object.fromEntries(
        Object.keys(base.observed).map((name) => [name, Float64Array.of(sum((o) => o.observed[name]![0]!))]),
      );
      const joined = {
        ...base,
        loss: sum((o) => o.loss),
        gradLogp: rowsOf("gradLogp"),
        gradEntropy: rowsOf("gradEntropy"),
        gradValues: rowsOf("gradValues"),
        observed,
      };
      same(joined, base, "a split into micro-batches");
    },
    maskedNaN: () => {
      const { masked, poisoned } = poisonedAt(batch, [1, 4, 9], specs);
      same(run(poisoned), run(masked), "NaN at masked positions", 0);
    },
    degenerate: () => {
      const shapes: Record<string, BatchShape> = {
        "an empty response": { lengths: [3, 0, 2, 2], group: [0, 0, 1, 1] },
        "a group of one": { lengths: [3, 2, 2], group: [0, 1, 1] },
        "one response of one token": { lengths: [1], group: [0] },
      };
      for (const [what, shape] of Object.entries(shapes)) {
        const given = small(shape);
        if (given === undefined) return;
        finite(run(given), what);
        finite(
          run(given.with({ mask: Uint8Array.from({ length: given.tokens }, (_, t) => (t === 0 ? 0 : 1)) })),
          `${what}, its first token masked`,
        );
        finite(run(given.with({ mask: new Uint8Array(given.tokens) })), `${what}, all masked`);
        finite(run(given.with({ advantages: new Float64Array(given.tokens) })), `${what}, no advantage`);
      }
    },
    extremes: () => finite(run(batch.with(extremeLogps(batch))), "extreme log-probs"),
    float32: () => {
      // Of equal inputs: what rounding of the data itself does is no error of the method.
      const given = rounded(batch, specs);
      const [single, double] = [run(given, { precision: "float32" }), run(given)];
      nearInFloat32(single.loss, double.loss, "the loss");
      sameDirection(gradientOf(single), gradientOf(double), batch.tokens, "the gradient");
    },
    reads: () => {
      const declared = new Set(list.flatMap(readsOf));
      const undeclared = [...program.columns].filter((name) => !declared.has(name));
      check(
        undeclared.length === 0,
        `it reads ${undeclared.join(", ")} without naming ${undeclared.length > 1 ? "them" : "it"} in its reads`,
      );
    },
  };
}

/** Names of the columns that a component declares to read under its options. */
export function readsOf({ component, options }: Pick<TermCase, "component" | "options">): string[] {
  const { point, reads } = metadataUnder(component, completeOptions(component, options));
  const list = reads ?? (point === "gate" ? (["logp", "oldLogp", "advantages"] as const) : []);
  return list.map((reference) => (typeof reference === "string" ? reference : reference.name));
}

/** Single tokens at the least log-prob under one policy each, and ratios of e^-50 and e^50. */
function extremeLogps(batch: Batch): Record<string, Float64Array> {
  const [logp, oldLogp, refLogp] = (["logp", "oldLogp", "refLogp"] as const).map((name) => Float64Array.from(batch.f64(name)));
  logp![0] = LEAST_LOGP;
  oldLogp![1] = LEAST_LOGP;
  refLogp![2] = LEAST_LOGP;
  logp![3] = oldLogp![3]! - 50;
  oldLogp![5] = logp![5]! - 50;
  return { logp: logp!, oldLogp: oldLogp!, refLogp: refLogp! };
}

/** Every number of the batch rounded to float32. */
export function rounded(batch: Batch, specs: ColumnSpecs): Batch {
  const floats = batch.names.filter((name) => batch.column(name).dtype === "f64");
  return batch.with(Object.fromEntries(floats.map((name) => [name, batch.f64(name).map(Math.fround)])), specs);
}

const withoutNaN = (value: TensorValue): TensorValue =>
  value.data instanceof Float64Array ? { shape: value.shape, data: value.data.map((x) => (Number.isNaN(x) ? -1 : x)) } : value;

/** Sentence of a check. */
export const promiseOf = (name: string): string => PROMISES[name as PromiseName];
