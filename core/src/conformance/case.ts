import { Batch, type ColumnInput, type ColumnSpecs, isStandardColumn, STANDARD_COLUMNS } from "../rollout/index.js";

export type Options = Readonly<Record<string, unknown>>;
export type Inputs = Readonly<Record<string, unknown>>;

const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isRagged = (value: unknown): value is readonly (readonly unknown[])[] => isArray(value) && value.length > 0 && value.every(isArray);

/** Columns whose entries are tokens: the first of them that a case gives fixes the row lengths. */
const TOKEN_COLUMNS = ["logp", "oldLogp", "entropy", "tokens", "values", "refLogp", "hidden", "advantages"];

/**
 * A batch of the rows of a conformance case: every input that holds one entry a row becomes a column of its name.
 * `group` is 0 for all rows when the case gives none; rows without any token column have `lengths` tokens, or one.
 */
export function batchOfCase(inputs: Inputs, specs: ColumnSpecs = {}, extra: Readonly<Record<string, ColumnInput>> = {}): Batch {
  const token = tokenColumnOf(inputs, specs);
  const all = { ...inputs, ...extra };
  const rows = token?.length ?? (Object.values(all).find(isArray) ?? []).length;
  const lengths =
    token?.map((row) => row.length) ?? (isArray(inputs.lengths) ? (inputs.lengths as number[]) : new Array<number>(rows).fill(1));
  const group = isArray(inputs.group) ? (inputs.group as number[]) : new Array<number>(rows).fill(0);
  const columns: Record<string, ColumnInput> = {};
  for (const [name, value] of Object.entries(all)) {
    if (name === "group" || name === "lengths" || !isArray(value) || value.length !== rows) continue;
    const ragged = isRagged(value);
    const fits = !ragged || value.every((row, i) => row.length === lengths[i]);
    if (fits || specs[name] !== undefined || isStandardColumn(name)) columns[name] = value;
  }
  return new Batch({ lengths, group }).with(columns, specs);
}

/** The input that fixes the rows' lengths, if any. */
export const tokenColumnOf = (inputs: Inputs, specs: ColumnSpecs = {}): readonly (readonly unknown[])[] | undefined =>
  TOKEN_COLUMNS.map((name) => inputs[name]).find(isRagged) ?? guessTokenColumn(inputs, specs);

/** A ragged input of no known meaning holds tokens, unless the case gives the lengths. */
function guessTokenColumn(inputs: Inputs, specs: ColumnSpecs): readonly (readonly unknown[])[] | undefined {
  if (isArray(inputs.lengths)) return undefined;
  const known = (name: string) => specs[name] ?? (isStandardColumn(name) ? STANDARD_COLUMNS[name] : undefined);
  const found = Object.entries(inputs).find(([name, value]) => isRagged(value) && (known(name)?.at ?? "token") === "token");
  return found?.[1] as readonly (readonly unknown[])[] | undefined;
}
