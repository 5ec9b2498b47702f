import type { Context, LossComponent, Term } from "../extension/index.js";
import { evaluateProgram, type LossPart, ObjectiveProgram, OUTPUT_COLUMNS } from "../objective/index.js";
import type { Batch } from "../rollout/index.js";
import type { Run } from "./run.js";
import type { SeenLogp } from "./update.js";

/** What the loss did to single tokens, flat over the response tokens of the rows that were trained on. */
export interface TokenEffects {
  /**
   * Share of the plain policy gradient -A·∇logp that the gate lets pass: 0 = none, the ratio = all of an importance-weighted
   * one. NaN where the advantage is 0 and for tokens outside the loss; null when the gate cannot be told from log-probs alone.
   */
  gate: Float64Array | null;
  /** Facts of the terms by `<term>.<fact>`: those they name per token, and what they observe of single tokens. */
  facts: Readonly<Record<string, Float64Array>>;
}

/** Columns at rollout time that equal what the policy gives before the first update. */
const AT_ROLLOUT: Readonly<Record<string, string>> = { entropy: "oldEntropy", values: "oldValues" };

/** Evaluates the terms once more on the log-probs that the updates saw, in float64. */
export function tokenEffects(run: Run, trained: Batch, seen: readonly SeenLogp[]): TokenEffects {
  const facts: Record<string, Float64Array> = {};
  let gate: Float64Array | null = null;
  for (const [index, part] of run.program.parts.entries()) {
    const program = new ObjectiveProgram([part], run.program.options);
    for (const { rows, logp, stepValues } of seen) {
      const batch = withOutputs(program, rows.length === trained.rows ? trained : trained.select(rows), logp);
      if (batch === null) break;
      const outcome = evaluateProgram(program, batch, stepValues);
      for (const [name, values] of Object.entries(outcome.perToken)) {
        facts[name] ??= new Float64Array(trained.tokens);
        scatter(values, rows, trained, facts[name]);
      }
      if (index > 0) continue;
      const plain = plainGradient(run, part, batch, stepValues);
      if (plain === null) continue;
      const passed = outcome.gradLogp.map((row, i) => row.map((g, t) => g / plain[i]![t]!));
      gate ??= new Float64Array(trained.tokens).fill(Number.NaN);
      scatter(passed, rows, trained, gate);
    }
  }
  return { gate, facts };
}

/** The loss of a program on given log-probs, in float64; null when it reads what is not known on the host. */
export function lossOn(program: ObjectiveProgram, batch: Batch, logp: Float64Array, stepValues: SeenLogp["stepValues"]): number | null {
  const known = withOutputs(program, batch, logp);
  return known === null ? null : evaluateProgram(program, known, stepValues).loss;
}

/** The batch with the policy's outputs as columns; null when some are not known on the host. */
function withOutputs(program: ObjectiveProgram, batch: Batch, logp: Float64Array): Batch | null {
  let known = batch.with({ logp });
  for (const output of program.outputs) {
    for (const [, column] of OUTPUT_COLUMNS[output] ?? [["", ""]]) {
      const earlier = AT_ROLLOUT[column];
      if (known.has(column)) continue;
      if (earlier === undefined || !known.has(earlier)) return null;
      known = known.with({ [column]: known.f64(earlier) });
    }
  }
  return known;
}

/** d/dlogp of -A·logp under the gate's own aggregation; null for a loss that has no such counterpart. */
function plainGradient(run: Run, part: LossPart, batch: Batch, stepValues: SeenLogp["stepValues"]): number[][] | null {
  if (!run.program.columns.has("advantages")) return null;
  let isComparable = true;
  const terms: LossComponent["terms"] = (context: Context, values) => {
    const given = part.component.terms(context, values);
    const first = (Array.isArray(given) ? given[0] : given) as Term;
    const surrogate = context.logp.mul(context.advantages).neg();
    const isRow = first.value.rank === 2 && first.value.shape[1] === 1 && context.dims.T !== 1;
    isComparable &&= first.value.rank === 2 && first.aggregation !== "scalar";
    if (!isComparable) return { value: surrogate, aggregation: "token-sum" };
    return { value: isRow ? context.sequenceMean(surrogate) : surrogate, aggregation: first.aggregation, without: first.without };
  };
  const program = new ObjectiveProgram([{ ...part, component: { terms } }], run.program.options);
  return isComparable ? evaluateProgram(program, batch, stepValues).gradLogp : null;
}

/** Rows of a part to their places in the whole batch. */
function scatter(values: readonly (readonly number[])[], rows: ArrayLike<number>, { offsets }: Batch, into: Float64Array): void {
  values.forEach((row, i) => {
    into.set(row, offsets[rows[i]!]!);
  });
}
