import { Batch, type ColumnInput, type ColumnReference, UsageError } from "@proximal/core";
import { ownSpecs } from "./gate.js";

export type Sign = 1 | -1;

/** Log-probability of a token under the policy that sampled, nats: a probability of 0.05. */
const OLD_LOGP = Math.log(0.05);

/**
 * What a gate may read beside a ratio, for the plotted response and for the other one of its group; `note` says what the plot
 * does not show.
 */
const COLUMNS: Readonly<Record<string, { of: (sign: Sign, oldLogp: number) => [unknown, unknown]; note?: string }>> = {
  advantages: { of: (sign) => [sign, -sign] },
  localAdvantages: { of: (sign) => [sign, -sign], note: "local and global advantage are equal" },
  globalAdvantages: { of: (sign) => [sign, -sign] },
  localWeights: { of: () => [0.5, 0.5] },
  rewards: { of: (sign) => (sign > 0 ? [1, 0] : [0, 1]), note: "the response with the positive advantage has reward 1, the other 0" },
  correct: { of: (sign) => (sign > 0 ? [1, 0] : [0, 1]) },
  refLogp: { of: (_, old) => [old, old], note: "the reference policy is the one that sampled" },
  teacherLogp: { of: (_, old) => [old, old], note: "the teacher agrees with the policy that sampled" },
  entropy: { of: () => [1, 1], note: "entropy 1 nat" },
  oldEntropy: { of: () => [1, 1], note: "entropy 1 nat" },
  truncated: { of: () => [false, false] },
  hinted: { of: () => [false, false], note: "sampled without a hint" },
  policyMask: { of: () => [true, true] },
  tokens: { of: () => [0, 1] },
  domain: { of: () => ["a", "a"] },
  turn: { of: () => [0, 0] },
  tokenWeights: { of: () => [1, 1] },
};

const NEEDED = new Set(["logp", "oldLogp"]);

const isToken = (name: string, reference: ColumnReference): boolean =>
  typeof reference === "object" && "at" in reference
    ? reference.at === "token"
    : ["advantages", "refLogp", "teacherLogp", "entropy", "oldEntropy", "policyMask", "tokens", "tokenWeights"].includes(name);

const nameOf = (reference: ColumnReference): string => (typeof reference === "string" ? reference : reference.name);

/** What the caption says of the context, beyond what holds for all gates. */
export const notesOf = (reads: readonly ColumnReference[]): string[] => [
  ...new Set(reads.flatMap((reference) => COLUMNS[nameOf(reference)]?.note ?? own(reference)?.note ?? [])),
];

/** A column of the gate's own: 0, false or "" in both rows. */
function own(reference: ColumnReference): { of: () => [unknown, unknown]; note: string } | undefined {
  if (typeof reference === "string" || !("at" in reference) || reference.width !== undefined) return undefined;
  const value = reference.dtype === "bool" ? false : reference.dtype === "string" ? "" : 0;
  if (reference.dtype === "json") return undefined;
  return { of: () => [value, value], note: `${reference.name} ${value === false ? "false" : value === "" ? "empty" : 0}` };
}

export interface Place {
  /** Responses in the batch. */
  rows: 1 | 2;
  ratio: number;
  /** The advantage. */
  sign: Sign;
  oldLogp?: number;
}

/**
 * The batch in which the first response, one token, has the given ratio and advantage. With two rows the
 * second is the other response of its group: one token with the opposite advantage that stays at ratio 1. Error: a column that
 * lone tokens cannot have.
 */
export function minimalBatch(reads: readonly ColumnReference[], { rows, ratio, sign, oldLogp = OLD_LOGP }: Place): Batch {
  const each = <T>(...values: [T, T]): T[] => values.slice(0, rows);
  const columns: Record<string, ColumnInput> = {
    mask: each([1], [1]),
    logp: each([oldLogp + Math.log(ratio)], [oldLogp]),
    oldLogp: each([oldLogp], [oldLogp]),
  };
  for (const reference of reads) {
    const name = nameOf(reference);
    if (NEEDED.has(name)) continue;
    const column = COLUMNS[name] ?? own(reference);
    if (column === undefined) {
      if (typeof reference === "object" && reference.optional === true) continue;
      throw new UsageError(`it reads the column "${name}", which a ratio and an advantage do not determine`);
    }
    const [first, other] = column.of(sign, oldLogp);
    columns[name] = (isToken(name, reference) ? each([first], [other]) : each(first, other)) as ColumnInput;
  }
  return new Batch({ lengths: each(1, 1), group: each(0, 0) }).with(columns, ownSpecs(reads));
}
