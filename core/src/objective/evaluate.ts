import type { BuiltObjective, PolicyOutput, StepValues } from "../policy/index.js";
import type { Batch } from "../rollout/index.js";
import { type EvaluationMode, type Expr, evaluate, type Feeds, gradient, type TensorValue } from "../tensor/index.js";
import { inputLeaves, type ObjectiveProgram } from "./program.js";

/** A loss at given policy outputs. */
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

/** What a loss can be differentiated by, and the results that hold its gradient. */
export const VARIABLES = ["logp", "entropy", "values"] as const;
export type LossVariable = (typeof VARIABLES)[number];

export interface BindOptions {
  /** A micro-batch; its denominators are those of the whole batch. All rows when left out. */
  rows?: ArrayLike<number>;
  /** Rows and positions added behind those of the batch, as an engine pads. What the policy gives there is NaN. */
  padding?: { rows: number; tokens: number };
}

/** A program on the rows of a batch: its loss over inputs, and what they are fed with. */
export interface BoundProgram extends BuiltObjective {
  feeds: Feeds;
  variables: Readonly<Partial<Record<LossVariable, Expr<"input">>>>;
  /** Places of the rows in the batch. */
  rows: ArrayLike<number>;
  sizes: { B: number; T: number };
}

/** Batch columns that stand for what a policy would compute. */
export const OUTPUT_COLUMNS: Readonly<Partial<Record<PolicyOutput, readonly [input: string, column: string][]>>> = {
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

/** Builds a program for the sizes of a batch; policy outputs come from the batch's columns. */
export function bindProgram(
  program: ObjectiveProgram,
  batch: Batch,
  stepValues: StepValues,
  { rows = Int32Array.from({ length: batch.rows }, (_, i) => i), padding = { rows: 0, tokens: 0 } }: BindOptions = {},
): BoundProgram {
  const sizes = { B: rows.length + padding.rows, T: Math.max(2, ...batch.lengths) + padding.tokens };
  const dims = { ...sizes, V: 1, H: widthOf(batch, "hidden"), K: widthOf(batch, "candidateProbs") };
  const leaves = inputLeaves(dims);
  const made = new Map<string, Expr<"input">>();
  const keep = (x: Expr): Expr => {
    if (x.is("input")) made.set(x.attributes.name, x);
    return x;
  };
  const built = program.build(dims, {
    logp: () => keep(leaves.logp()),
    entropy: () => keep(leaves.entropy()),
    values: () => keep(leaves.values()),
    hidden: () => keep(leaves.hidden()),
    topK: () => {
      const { probs, tokens } = leaves.topK();
      return { probs: keep(probs), tokens: keep(tokens) };
    },
    logits: () => keep(leaves.logits()),
  });
  const feeds: Record<string, TensorValue> = { ...program.feeds(built, batch, rows, sizes, stepValues) };
  for (const output of program.outputs) {
    for (const [name, column] of OUTPUT_COLUMNS[output] ?? []) {
      const expr = made.get(name);
      if (expr !== undefined) feeds[name] = padded(batch, rows, column, sizes, expr);
    }
  }
  const variables = Object.fromEntries(
    VARIABLES.flatMap((name) => {
      const leaf = made.get(`policy:${name}`);
      return leaf === undefined ? [] : [[name, leaf]];
    }),
  );
  return { ...built, feeds, variables, rows, sizes };
}

function padded(batch: Batch, rows: ArrayLike<number>, column: string, { B, T }: { B: number; T: number }, expr: Expr): TensorValue {
  const width = widthOf(batch, column);
  const values = expr.dtype === "int" ? batch.i32(column) : batch.f64(column);
  const data = new (values.constructor as Float64ArrayConstructor)(B * T * width) as Float64Array;
  if (expr.dtype === "float") data.fill(Number.NaN);
  for (let row = 0; row < rows.length; row++) {
    const from = rows[row]!;
    data.set((values as Float64Array).subarray(batch.offsets[from]! * width, batch.offsets[from + 1]! * width), row * T * width);
  }
  return { shape: expr.rank === 3 ? [B, T, width] : [B, T], data };
}

/** Loss, gradients and observations; policy outputs come from the batch's columns. In float64 unless asked otherwise. */
export function evaluateProgram(
  program: ObjectiveProgram,
  batch: Batch,
  stepValues: StepValues,
  options: BindOptions & Pick<EvaluationMode, "precision"> = {},
): TermsOutcome {
  const { loss, observed, perToken, feeds, variables, rows, sizes } = bindProgram(program, batch, stepValues, options);
  const present = Object.values(variables);
  const gradients = gradient(loss, present);
  const wishes = [loss, ...gradients, ...Object.values(observed), ...Object.values(perToken)];
  const results = new Map(evaluate(wishes, feeds, undefined, options).map(({ data }, i) => [wishes[i]!, data]));
  const ragged = (data?: ArrayLike<number>): number[][] =>
    Array.from(rows, (from, row) => Array.from({ length: batch.lengths[from]! }, (_, t) => data?.[row * sizes.T + t] ?? 0));
  const gradientOf = (name: LossVariable) => {
    const x = variables[name];
    return ragged(x && results.get(gradients[present.indexOf(x)]!));
  };
  const each = <A>(named: Readonly<Record<string, Expr>>, read: (data: ArrayLike<number>) => A): Record<string, A> =>
    Object.fromEntries(Object.entries(named).map(([name, x]) => [name, read(results.get(x)!)]));
  return {
    loss: results.get(loss)![0]!,
    gradLogp: gradientOf("logp"),
    gradEntropy: gradientOf("entropy"),
    gradValues: gradientOf("values"),
    observed: each(observed, (data) => Float64Array.from(data)),
    perToken: each(perToken, ragged),
  };
}
