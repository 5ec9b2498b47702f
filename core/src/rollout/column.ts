import { DataError } from "../errors.js";

/** What one entry of a column belongs to. */
export const COLUMN_AT = ["token", "row", "group", "pair", "prompt", "branch", "step"] as const;
export type ColumnAt = (typeof COLUMN_AT)[number];

/** `json` holds texts' lists and other host-only values; it never enters a graph. */
export const COLUMN_DTYPES = ["f64", "i32", "bool", "string", "json"] as const;
export type ColumnDType = (typeof COLUMN_DTYPES)[number];

export interface ColumnSpec {
  at: ColumnAt;
  dtype: ColumnDType;
  /** Numbers an entry, when more than one (a hidden state, K candidates). A symbol when it is known only at run time. */
  width?: number | string;
}

/** Bool columns hold 0 and 1. A null number (an unverifiable reward) is NaN. */
export type ColumnValues = Float64Array | Int32Array | Uint8Array | readonly string[] | readonly unknown[];

export interface Column extends ColumnSpec {
  /** Entries one after the other, row by row; token columns follow the batch's row offsets. */
  values: ColumnValues;
}

/** A column as a component returns it: flat, nested by row, or typed. null = not available. */
export type ColumnInput = ArrayLike<number | boolean | null> | ArrayLike<string | null> | ArrayLike<unknown>;

const typed = {
  f64: (values: readonly unknown[]) => Float64Array.from(values, (v) => (v === null || v === undefined ? Number.NaN : Number(v))),
  i32: (values: readonly unknown[]) => Int32Array.from(values, Number),
  bool: (values: readonly unknown[]) => Uint8Array.from(values, Number),
  string: (values: readonly unknown[]) => values.map((v) => (v === null ? "" : String(v))),
  json: (values: readonly unknown[]) => [...values],
} as const;

/** Flattens what a component returned into a column of `entries` entries (times `width`). */
export function makeColumn(name: string, spec: ColumnSpec, given: ColumnInput, entries: number): Column {
  const nested = Array.isArray(given) && spec.dtype !== "json";
  const flat: unknown = nested ? (given as unknown[]).flat(3) : given;
  const isTyped =
    (spec.dtype === "f64" && flat instanceof Float64Array) ||
    (spec.dtype === "i32" && flat instanceof Int32Array) ||
    (spec.dtype === "bool" && flat instanceof Uint8Array);
  const values = isTyped
    ? (flat as Float64Array)
    : typed[spec.dtype](ArrayBuffer.isView(flat) ? [...(flat as Float64Array)] : (flat as unknown[]));
  const width = typeof spec.width === "number" ? spec.width : entries > 0 && spec.width !== undefined ? values.length / entries : 1;
  if (values.length !== entries * width) {
    throw new DataError(`column "${name}" has ${values.length} values, not ${entries * width} (${entries} ${spec.at} entries)`);
  }
  return { ...spec, ...(spec.width === undefined ? {} : { width }), values };
}
