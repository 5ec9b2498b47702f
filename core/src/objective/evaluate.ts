import type { PolicyOutput, StepValues } from "../policy/index.js";
import type { Batch } from "../rollout/index.js";
import { type Expr, evaluate, gradient, type TensorValue } from "../tensor/index.js";
import { inputLeaves, type ObjectiveProgram } from "./program.js";

/** A loss in float64 at given policy outputs. */
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
