import type { ComponentClass } from "../extension/component.js";
import { metadataOf } from "../extension/component.js";
import { instantiate, NO_RUN } from "../extension/instantiate.js";
import type { Aggregation, LossComponent, State } from "../extension/points.js";
import { inputLeaves, type LossPart, ObjectiveProgram } from "../objective/program.js";
import type { PolicyOutput, StepValues } from "../policy/index.js";
import type { Batch, ColumnSpecs } from "../rollout/index.js";
import { type Expr, evaluate, gradient, type TensorValue } from "../tensor/index.js";
import { batchOfCase, type Inputs, type Options } from "./case.js";

/** A loss component with options and its weight in the loss. */
export interface TermCase {
  component: ComponentClass<LossComponent>;
  options?: Options;
  coefficient?: number;
  /** State whose step values the terms read; `initialState()` by default. */
  state?: State;
}

export interface TermsOutcome {
  loss: number;
  /** d loss / d log-prob, [B][T]; `gradEntropy` and `gradValues` likewise where the loss depends on them. */
  gradLogp: number[][];
  gradEntropy: number[][];
  gradValues: number[][];
  /** What the terms observe, flat, by `<component id>.<name>`. */
  observed: Readonly<Record<string, Float64Array>>;
}

/** Components of a loss as a program, with step values from their states. Ids are made unique. */
export function programOf(
  terms: readonly TermCase[],
  { aggregation = "token-mean", specs = {}, available, learningRate = 0, step = 0, topK }: ProgramFacts = {},
): { program: ObjectiveProgram; stepValues: StepValues } {
  const stepValues: Record<string, StepValues[string]> = {};
  const parts = terms.map(({ component, options, coefficient = 1, state }, i): LossPart => {
    const instance = instantiate(component, options, { facts: NO_RUN });
    const { id } = metadataOf(component);
    const unique = terms.findIndex((other) => metadataOf(other.component).id === id) === i ? id : `${id}#${i}`;
    const given = instance.stepValues?.((state ?? instance.initialState?.()) as State, { step, learningRate }) ?? {};
    const stepShapes: Record<string, readonly number[]> = {};
    for (const [name, value] of Object.entries(given)) {
      stepShapes[name] = typeof value === "number" ? [1, 1] : value.shape;
      stepValues[`${unique}.${name}`] = value;
    }
    return { id: unique, component: instance, coefficient, stepShapes };
  });
  return { program: new ObjectiveProgram(parts, { aggregation, specs, available, topK }), stepValues };
}

export interface ProgramFacts {
  /** Of terms that name none. */
  aggregation?: Aggregation;
  specs?: ColumnSpecs;
  available?: (column: string) => boolean;
  learningRate?: number;
  step?: number;
  topK?: number;
}

const OUTPUT_COLUMNS: Readonly<Partial<Record<PolicyOutput, readonly [input: string, column: string][]>>> = {
  logp: [["policy:logp", "logp"]],
  entropy: [["policy:entropy", "entropy"]],
  values: [["policy:values", "values"]],
  hidden: [["policy:hidden", "hidden"]],
  topK: [
    ["policy:topKProbs", "candidateProbs"],
    ["policy:topKTokens", "candidateTokens"],
  ],
};

const widthOf = (batch: Batch, name: string): number => (batch.has(name) ? Number(batch.column(name).width ?? 1) : 1);

/**
 * Loss, gradients and observations in float64; policy outputs come from the batch's columns. `rows` picks a micro-batch;
 * its denominators are those of the whole batch.
 */
export function evaluateProgram(
  program: ObjectiveProgram,
  batch: Batch,
  stepValues: StepValues,
  rows: ArrayLike<number> = Int32Array.from({ length: batch.rows }, (_, i) => i),
): TermsOutcome {
  const sizes = { B: rows.length, T: Math.max(2, ...batch.lengths) };
  const leaves = inputLeaves({ ...sizes, V: 1, H: widthOf(batch, "hidden"), K: widthOf(batch, "candidateProbs") });
  const made = new Map<string, Expr>();
  const keep = (x: Expr): Expr => {
    if (x.is("input")) made.set(x.attributes.name, x);
    return x;
  };
  const built = program.build(
    { ...sizes, V: 1, H: widthOf(batch, "hidden"), K: widthOf(batch, "candidateProbs") },
    {
      logp: () => keep(leaves.logp()),
      entropy: () => keep(leaves.entropy()),
      values: () => keep(leaves.values()),
      hidden: () => keep(leaves.hidden()),
      topK: () => {
        const { probs, tokens } = leaves.topK();
        return { probs: keep(probs), tokens: keep(tokens) };
      },
      logits: () => keep(leaves.logits()),
    },
  );
  const feeds: Record<string, TensorValue> = { ...program.feeds(built, batch, rows, sizes, stepValues) };
  for (const output of program.outputs) {
    for (const [name, column] of OUTPUT_COLUMNS[output] ?? []) {
      const expr = made.get(name);
      if (expr !== undefined) feeds[name] = padded(batch, rows, column, sizes, expr);
    }
  }
  const wanted = ["policy:logp", "policy:entropy", "policy:values"].map((name) => made.get(name));
  const present = wanted.filter((x) => x !== undefined);
  const names = Object.keys(built.observed);
  const results = evaluate([built.loss, ...gradient(built.loss, present), ...names.map((name) => built.observed[name]!)], feeds);
  const ragged = (x: Expr | undefined): number[][] => {
    const data = x === undefined ? undefined : results[1 + present.indexOf(x)]!.data;
    return Array.from(rows, (from, row) => Array.from({ length: batch.lengths[from]! }, (_, t) => Number(data?.[row * sizes.T + t] ?? 0)));
  };
  return {
    loss: Number(results[0]!.data[0]),
    gradLogp: ragged(wanted[0]),
    gradEntropy: ragged(wanted[1]),
    gradValues: ragged(wanted[2]),
    observed: Object.fromEntries(names.map((name, i) => [name, Float64Array.from(results[1 + present.length + i]!.data)])),
  };
}

function padded(batch: Batch, rows: ArrayLike<number>, column: string, { B, T }: { B: number; T: number }, expr: Expr): TensorValue {
  const width = widthOf(batch, column);
  const values = expr.dtype === "int" ? batch.i32(column) : batch.f64(column);
  const data = new (values.constructor as Float64ArrayConstructor)(B * T * width) as Float64Array;
  for (let row = 0; row < B; row++) {
    const from = rows[row]!;
    data.set((values as Float64Array).subarray(batch.offsets[from]! * width, batch.offsets[from + 1]! * width), row * T * width);
  }
  return { shape: expr.rank === 3 ? [B, T, width] : [B, T], data };
}

/** Runs loss components on a conformance case, through the same program that a training run executes. */
export function runTerms(terms: TermCase | readonly TermCase[], inputs: Inputs, facts: ProgramFacts = {}): TermsOutcome {
  const list = Array.isArray(terms) ? (terms as readonly TermCase[]) : [terms as TermCase];
  const batch = batchOfCase(inputs, facts.specs);
  const { program, stepValues } = programOf(list, { available: (name) => batch.has(name), ...facts });
  return evaluateProgram(program, batch, stepValues);
}
