import { type ProgramFacts, programOf, type TermCase } from "../conformance/terms.js";
import { evaluateProgram, type TermsOutcome } from "../objective/evaluate.js";
import type { Batch, ColumnInput } from "../rollout/index.js";
import { randomBatch } from "./random-batch.js";

type Variable = "logp" | "entropy" | "values";
const GRADIENTS = { logp: "gradLogp", entropy: "gradEntropy", values: "gradValues" } as const;

export interface TermCheckOptions extends ProgramFacts {
  /** Columns beyond the standard ones, for the six rows (3, 5, 2, 4, 1 and 4 tokens) of the random batch. */
  extra?: Record<string, ColumnInput>;
  /**
   * The gradient is not the derivative of the reported loss (a surrogate with stop-gradients): skips the comparison with
   * finite differences. Say why where it is set.
   */
  surrogate?: boolean;
  seed?: number;
}

const flat = (rows: readonly (readonly number[])[]): number[] => rows.flat();
const worst = (a: readonly number[], b: readonly number[]): number =>
  a.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))),
    a.length === b.length ? 0 : Number.POSITIVE_INFINITY,
  );

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

/** Replaces the value of one token of a token column. */
function nudge(batch: Batch, name: Variable, token: number, by: number): Batch {
  const values = Float64Array.from(batch.f64(name));
  values[token]! += by;
  return batch.with({ [name]: values });
}

/**
 * What every loss component must satisfy, as functions to run inside tests; each throws with a sentence that says what broke.
 * `terms` are evaluated through the program that a training run executes.
 */
export function termChecks(terms: TermCase | readonly TermCase[], options: TermCheckOptions = {}): Readonly<Record<string, () => void>> {
  const list = Array.isArray(terms) ? (terms as readonly TermCase[]) : [terms as TermCase];
  const specs = options.specs ?? {};
  const batch = randomBatch(options.seed ?? 1, { specs, extra: options.extra ?? {} });
  const { program, stepValues } = programOf(list, { available: (name) => name !== "weights" && name !== "tokenWeights", ...options });
  const run = (on: Batch): TermsOutcome => evaluateProgram(program, on, stepValues);
  const variables = (["logp", "entropy", "values"] as const).filter((name) => program.outputs.has(name));
  const same = (a: TermsOutcome, b: TermsOutcome, what: string, tolerance = 1e-10) => {
    check(worst([a.loss], [b.loss]) <= tolerance, `${what} changes the loss from ${b.loss} to ${a.loss}`);
    for (const name of variables) {
      const error = worst(flat(a[GRADIENTS[name]]), flat(b[GRADIENTS[name]]));
      check(error <= tolerance, `${what} changes d loss / d ${name} by ${error}`);
    }
  };

  return {
    "its gradient is that of central differences in float64": () => {
      if (options.surrogate) return;
      const base = run(batch);
      const step = 1e-5;
      for (const name of variables) {
        const gradient = flat(base[GRADIENTS[name]]);
        gradient.forEach((g, token) => {
          const difference = (run(nudge(batch, name, token, step)).loss - run(nudge(batch, name, token, -step)).loss) / (2 * step);
          check(
            Math.abs(g - difference) <= 1e-6 * Math.max(1, Math.abs(g)),
            `d loss / d ${name}[${token}] is ${g}, by differences ${difference}`,
          );
        });
      }
    },
    "the order of the rows does not matter": () => {
      const order = [4, 2, 0, 5, 1, 3];
      const shuffled = run(batch.select(order));
      const restored = { ...shuffled };
      for (const name of variables) {
        const rows = shuffled[GRADIENTS[name]];
        restored[GRADIENTS[name]] = order.map((_, row) => rows[order.indexOf(row)]!);
      }
      same(restored, run(batch), "another order of the rows");
    },
    "a split into micro-batches (of whole groups) does not change the loss": () => {
      if (program.span === "batch") return;
      const parts = [
        [0, 1],
        [2, 3, 4, 5],
      ].map((rows) => evaluateProgram(program, batch, stepValues, rows));
      const base = run(batch);
      check(
        worst([parts[0]!.loss + parts[1]!.loss], [base.loss]) <= 1e-10,
        `micro-batches sum to ${parts[0]!.loss + parts[1]!.loss}, the batch gives ${base.loss}`,
      );
      for (const name of variables) {
        const joined = [...flat(parts[0]![GRADIENTS[name]]), ...flat(parts[1]![GRADIENTS[name]])];
        check(worst(joined, flat(base[GRADIENTS[name]])) <= 1e-10, `micro-batches change d loss / d ${name}`);
      }
    },
    "NaN at masked positions reaches neither loss nor gradient": () => {
      const masked = [1, 4, 9];
      const mask = Uint8Array.from({ length: batch.tokens }, (_, i) => (masked.includes(i) ? 0 : 1));
      const clean = run(batch.with({ mask }));
      const poison: Record<string, Float64Array> = {};
      for (const name of batch.names) {
        const column = batch.column(name);
        if (column.at !== "token" || column.dtype !== "f64") continue;
        const width = Number(column.width ?? 1);
        const values = Float64Array.from(column.values as Float64Array);
        for (const token of masked) values.fill(Number.NaN, token * width, (token + 1) * width);
        poison[name] = values;
      }
      same(run(batch.with({ mask, ...poison }, specs)), clean, "NaN at masked positions", 0);
    },
    "an empty response and a fully masked one give finite numbers": () => {
      const lengths = [3, 0, 2, 2];
      const small = randomBatch(7, { lengths, group: [0, 0, 1, 1], specs, extra: {} });
      const mask = Uint8Array.of(1, 1, 1, 0, 0, 1, 1);
      const missing = Object.keys(options.extra ?? {}).some((name) => program.columns.has(name));
      if (missing) return;
      const { loss, gradLogp } = run(small.with({ mask }));
      check(Number.isFinite(loss) && flat(gradLogp).every(Number.isFinite), `loss ${loss}, gradient ${flat(gradLogp).join(", ")}`);
    },
    "log-probs of -1e4 and ratios of e^±50 give finite numbers": () => {
      const logp = Float64Array.from(batch.f64("logp"));
      const oldLogp = Float64Array.from(batch.f64("oldLogp"));
      logp[0] = -1e4;
      oldLogp[1] = -1e4;
      logp[3] = oldLogp[3]! - 50;
      oldLogp[5] = logp[5]! - 50;
      const outcome = run(batch.with({ logp, oldLogp }));
      check(Number.isFinite(outcome.loss) && flat(outcome.gradLogp).every(Number.isFinite), `loss ${outcome.loss}`);
      for (const [name, values] of Object.entries(outcome.observed))
        check(values.every(Number.isFinite), `${name} is ${values.join(", ")}`);
    },
  };
}
