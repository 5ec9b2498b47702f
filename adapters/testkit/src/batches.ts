import { Batch, type ColumnInput, type ColumnSpec, Random } from "@proximal/core";
import { type BatchShape, randomBatch } from "@proximal/core/testing";
import fc from "fast-check";
import { nameOf, type Subject } from "./subject.js";

const ODD_TEXTS = [
  "",
  " ",
  "42",
  "the answer is 42",
  "\\boxed{7}",
  "<think>2+2</think><answer>4</answer>",
  "π ≈ 3.14 😀",
  "a\n\nb\n\n4",
  "-1/2",
  "\u0000",
];

const USUAL_SHAPE: BatchShape = { lengths: [3, 5, 2, 4, 1, 4, 3, 6], group: [0, 0, 0, 0, 1, 1, 1, 1] };

/** Shapes with empty rows and lone rows; at least one token in all. */
export const shapes: fc.Arbitrary<{ seed: number; shape: BatchShape }> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 30 }),
  shape: fc
    .array(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((groups) => ({ lengths: groups.flat(), group: groups.flatMap((rows, id) => rows.map(() => id)) }))
    .filter(({ lengths }) => lengths.some((n) => n > 0)),
});

/** Values of a column of the plugin's own, by its type alone. */
function valuesOf({ at, dtype, width }: ColumnSpec, batch: Batch, random: Random): ColumnInput {
  const entries = at === "token" ? batch.tokens : at === "group" ? batch.groups : at === "step" ? 1 : batch.rows;
  const count = entries * (typeof width === "number" ? width : width === undefined ? 1 : 2);
  const draw: Readonly<Record<ColumnSpec["dtype"], () => unknown>> = {
    f64: () => random.normal(),
    i32: () => random.integer(3),
    bool: () => random.integer(2),
    string: () => ["a", "b", "c"][random.integer(3)],
    json: () => null,
  };
  const values = Array.from({ length: count }, draw[dtype]);
  if (dtype === "f64") return Float64Array.from(values as number[]);
  if (dtype === "i32") return Int32Array.from(values as number[]);
  return dtype === "bool" ? Uint8Array.from(values as number[]) : values;
}

/** A batch with every standard column and the columns that the plugin's components declare. */
export function batchFor({ specs, examples, metadata }: Subject, seed: number, shape: BatchShape = USUAL_SHAPE): Batch {
  const random = new Random(seed).fork("columns");
  const rows = shape.lengths.length;
  const base = randomBatch(seed, { ...shape, specs });
  const texts = [...ODD_TEXTS, ...(examples.completions ?? [])];
  const text = () => (examples.completions !== undefined && random.uniform() < 0.7 ? examples.completions : texts);
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)]!;
  const rowsOf = <T>(make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row));
  const rewards = base.f64("rewards");
  const standard = base.with(
    {
      completions: rowsOf(() => pick(text())),
      prompts: rowsOf((row) => `question ${base.group[row]}`),
      promptId: rowsOf((row) => `p${base.group[row]}`),
      golds: rowsOf((row) => [["42"], ["7", "4"], ["-1/2"]][base.group[row]! % 3]),
      answers: rowsOf(() => pick(["42", "7", ""])),
      correct: rewards,
      format: rowsOf(() => random.integer(2)),
      rewardComponents: rowsOf((row) => [rewards[row]!, random.uniform()]).flat(),
      bundle: rowsOf((row) => base.group[row]! % 2),
      treePath: rowsOf((row) => [base.group[row]!, random.integer(2), row]),
      weights: rowsOf(() => random.uniform()),
      tokenWeights: Float64Array.from({ length: base.tokens }, () => random.uniform()),
    },
    { ...specs, rewardComponents: { at: "row", dtype: "f64", width: 2 } },
  );
  const wanted = [...(metadata.reads ?? [])].map(nameOf);
  const own = Object.entries(specs).filter(([name]) => wanted.includes(name) && !standard.has(name));
  const filled = standard.with(Object.fromEntries(own.map(([name, spec]) => [name, valuesOf(spec, standard, random)])), specs);
  return withTrajectories(filled.with(examples.columns?.(filled, random.fork("examples")) ?? {}, specs));
}

/** Rows that are trajectories too, for components that look at them. */
const withTrajectories = (batch: Batch): Batch =>
  batch.withTrajectories(
    Array.from({ length: batch.rows }, (_, row) => ({
      prompt: {
        id: batch.strings("promptId")[row]!,
        text: batch.strings("prompts")[row]!,
        tokens: Int32Array.of(1, 2, 3),
        golds: batch.json<string[]>("golds")[row]!,
        fields: {},
      },
      tokens: batch.i32("tokens").slice(batch.offsets[row], batch.offsets[row + 1]),
      mask: new Uint8Array(batch.lengths[row]!).fill(1),
      logp: batch.tokensOf("oldLogp", row).slice(),
      text: batch.strings("completions")[row]!,
      finish: batch.f64("truncated")[row] ? ("length" as const) : ("stop" as const),
      temperature: 1,
    })),
  );

/** The batch without some of its columns. */
export function without(batch: Batch, names: readonly string[]): Batch {
  const kept = batch.names.filter((name) => !names.includes(name) && name !== "group" && name !== "lengths");
  const { lengths, group, trajectories } = batch;
  return new Batch({ lengths, group, trajectories, columns: new Map(kept.map((name) => [name, batch.column(name)])) });
}
