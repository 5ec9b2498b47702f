import type { ComponentClass, RunFacts } from "../extension/component.js";
import { metadataOf } from "../extension/component.js";
import { instantiate, NO_RUN } from "../extension/instantiate.js";
import type { Aggregation, LossComponent, State } from "../extension/points.js";
import type { Services } from "../extension/services.js";
import { lossPart } from "../objective/part.js";
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
  /** Per-token facts of the terms, [B][T], by `<component id>.<name>`. */
  perToken: Readonly<Record<string, number[][]>>;
}

/** Components of a loss as a program, with step values from their states. Ids are made unique. */
export function programOf(
  terms: readonly TermCase[],
  { aggregation = "token-mean", specs = {}, available, learningRate = 0, step = 0, run = {} }: ProgramFacts = {},
): { program: ObjectiveProgram; stepValues: StepValues } {
  const stepValues: Record<string, StepValues[string]> = {};
  const parts = terms.map(({ component, options, coefficient, state }, i): LossPart => {
    const { id } = metadataOf(component);
    const unique = terms.findIndex((other) => metadataOf(other.component).id === id) === i ? id : `${id}#${i}`;
    const instance = instantiate(component, options, { facts: { ...NO_RUN, ...run } });
    const made = lossPart({ id: unique, component: instance, coefficient, state, step, learningRate });
    Object.assign(stepValues, made.stepValues);
    return made.part;
  });
  const sizes = { V: run.vocabularySize, H: run.hiddenSize };
  return { program: new ObjectiveProgram(parts, { aggregation, specs, available, sizes, maxTokens: run.maxTokens }), stepValues };
}

export interface ProgramFacts {
  /** Of terms that name none. */
  aggregation?: Aggregation;
  specs?: ColumnSpecs;
  available?: (column: string) => boolean;
  learningRate?: number;
  step?: number;
  /** Facts of the run that the components are told; those of `NO_RUN` by default. */
  run?: Partial<RunFacts>;
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
  const gradients = gradient(built.loss, present);
  const wishes = [built.loss, ...gradients, ...Object.values(built.observed), ...Object.values(built.perToken)];
  const results = new Map(evaluate(wishes, feeds).map(({ data }, i) => [wishes[i]!, data]));
  const ragged = (data?: ArrayLike<number>): number[][] =>
    Array.from(rows, (from, row) => Array.from({ length: batch.lengths[from]! }, (_, t) => data?.[row * sizes.T + t] ?? 0));
  const gradientOf = (x: Expr | undefined) => ragged(x && results.get(gradients[present.indexOf(x)]!));
  const each = <A>(named: Readonly<Record<string, Expr>>, read: (data: ArrayLike<number>) => A): Record<string, A> =>
    Object.fromEntries(Object.entries(named).map(([name, x]) => [name, read(results.get(x)!)]));
  return {
    loss: results.get(built.loss)![0]!,
    gradLogp: gradientOf(wanted[0]),
    gradEntropy: gradientOf(wanted[1]),
    gradValues: gradientOf(wanted[2]),
    observed: each(built.observed, (data) => Float64Array.from(data)),
    perToken: each(built.perToken, ragged),
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

export interface UpdatedTerms extends TermsOutcome {
  /** The component's state after its `afterUpdate`. */
  state: State;
}

/** Runs one loss component on a conformance case as one update, followed by its `afterUpdate`. Names carry no component id. */
export async function runUpdate(
  term: TermCase,
  inputs: Inputs,
  facts: ProgramFacts & { services?: Partial<Services> } = {},
): Promise<UpdatedTerms> {
  const batch = batchOfCase(inputs, facts.specs);
  const { program, stepValues } = programOf([term], { available: (name) => batch.has(name), ...facts });
  const { id, component } = program.parts[0]!;
  const outcome = evaluateProgram(program, batch, stepValues);
  const own = <A>(named: Readonly<Record<string, A>>): Record<string, A> =>
    Object.fromEntries(Object.entries(named).map(([name, value]) => [name.slice(id.length + 1), value]));
  const observed = own(outcome.observed);
  const before = (term.state ?? component.initialState?.()) as State;
  const services = (facts.services ?? {}) as Services;
  const after = await component.afterUpdate?.({ observed, batch, services, state: before, step: facts.step ?? 0 });
  return { ...outcome, observed, perToken: own(outcome.perToken), state: after ?? before };
}
