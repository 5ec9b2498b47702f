import { DataError } from "../errors.js";
import { type Column, type ColumnInput, type ColumnSpec, makeColumn } from "./column.js";
import { isStandardColumn, STANDARD_COLUMNS } from "./standard.js";
import type { Group, Trajectory } from "./trajectory.js";

/** Column types that go beyond the standard ones, by name. */
export type ColumnSpecs = Readonly<Record<string, ColumnSpec>>;

/**
 * Rows (responses) with named columns. Immutable: `with` and `select` return new batches that share data.
 * Token columns are ragged: row i owns entries `offsets[i]` to `offsets[i + 1]`.
 */
export class Batch {
  readonly rows: number;
  /** [B + 1] first response token of each row. */
  readonly offsets: Int32Array;
  /** [B] group of each row, from 0 in order of first appearance. */
  readonly group: Int32Array;
  /** Rows of each group, ascending. */
  readonly groupRows: readonly Int32Array[];
  /** Rows as trajectories; empty for a batch that was built from numbers alone. */
  readonly trajectories: readonly Trajectory[];
  private readonly columns: ReadonlyMap<string, Column>;

  constructor(parts: {
    lengths: ArrayLike<number>;
    group: ArrayLike<number>;
    columns?: ReadonlyMap<string, Column>;
    trajectories?: readonly Trajectory[];
  }) {
    this.rows = parts.lengths.length;
    this.offsets = new Int32Array(this.rows + 1);
    for (let i = 0; i < this.rows; i++) this.offsets[i + 1] = this.offsets[i]! + parts.lengths[i]!;
    this.trajectories = parts.trajectories ?? [];
    this.columns = parts.columns ?? new Map();
    const ids = new Map<number, number>();
    const rows: number[][] = [];
    this.group = Int32Array.from(parts.group, (id, row) => {
      const known = ids.get(id) ?? rows.push([]) - 1;
      ids.set(id, known);
      rows[known]!.push(row);
      return known;
    });
    this.groupRows = rows.map((list) => Int32Array.from(list));
  }

  /** All trajectories of `groups`, flattened in order, with the columns that every rollout has. */
  static fromGroups(groups: readonly Group[], specs: ColumnSpecs = {}): Batch {
    const trajectories = groups.flatMap((group) => [...group.trajectories]);
    const group = groups.flatMap((g, i) => g.trajectories.map(() => i));
    const base = new Batch({ lengths: trajectories.map((t) => t.tokens.length), group, trajectories });
    const extra: Record<string, ColumnInput> = {};
    for (const name of new Set(trajectories.flatMap((t) => Object.keys(t.columns ?? {})))) {
      extra[name] = trajectories.map((t) => t.columns?.[name] ?? null);
    }
    return base.with(
      {
        tokens: trajectories.map((t) => [...t.tokens]),
        mask: trajectories.map((t) => [...t.mask]),
        oldLogp: trajectories.map((t) => [...t.logp]),
        completions: trajectories.map((t) => t.text),
        prompts: trajectories.map((t) => t.prompt.text),
        promptId: trajectories.map((t) => t.prompt.id),
        golds: trajectories.map((t) => t.prompt.golds),
        truncated: trajectories.map((t) => t.finish === "length"),
        ...extra,
      },
      specs,
    );
  }

  /**
   * Rows of all parts, in order, with the row and token columns that every part has. `groups` gives the group ids of each
   * part's rows (equal ids = one group); by default groups of different parts stay apart.
   */
  static concat(parts: readonly Batch[], groups?: readonly ArrayLike<number>[]): Batch {
    let first = 0;
    const ids = parts.map((part, i) => {
      const own = groups?.[i] ?? part.group.map((g) => g + first);
      first += part.groups;
      return Array.from(own);
    });
    const columns = new Map<string, Column>();
    for (const [name, column] of parts[0]?.columns ?? []) {
      if (column.at !== "token" && column.at !== "row") continue;
      const all = parts.map((part) => part.columns.get(name));
      if (all.some((other) => other === undefined || other.dtype !== column.dtype || other.width !== column.width)) continue;
      columns.set(name, { ...column, values: joinValues(all.map((other) => other!.values)) });
    }
    return new Batch({
      lengths: parts.flatMap((part) => [...part.lengths]),
      group: ids.flat(),
      columns,
      trajectories: parts.flatMap((part) => [...part.trajectories]),
    });
  }

  get tokens(): number {
    return this.offsets[this.rows]!;
  }

  get groups(): number {
    return this.groupRows.length;
  }

  get names(): string[] {
    return [...this.columns.keys(), "group", "lengths"];
  }

  /** [B] response tokens of each row. */
  get lengths(): Int32Array {
    return Int32Array.from({ length: this.rows }, (_, i) => this.offsets[i + 1]! - this.offsets[i]!);
  }

  has(name: string): boolean {
    return name === "group" || name === "lengths" || this.columns.has(name);
  }

  column(name: string): Column {
    if (name === "group") return { at: "row", dtype: "i32", values: this.group };
    if (name === "lengths") return { at: "row", dtype: "i32", values: this.lengths };
    const column = this.columns.get(name);
    if (column === undefined) throw new DataError(`the batch has no column "${name}"`, { accepted: this.names });
    return column;
  }

  /** Numbers of a column, flat. */
  f64(name: string): Float64Array {
    const { values, dtype } = this.column(name);
    if (values instanceof Float64Array) return values;
    if (values instanceof Int32Array || values instanceof Uint8Array) return Float64Array.from(values);
    throw new DataError(`column "${name}" holds ${dtype}, not numbers`);
  }

  i32(name: string): Int32Array {
    const { values } = this.column(name);
    return values instanceof Int32Array ? values : Int32Array.from(this.f64(name));
  }

  strings(name: string): readonly string[] {
    const { values, dtype } = this.column(name);
    if (dtype !== "string") throw new DataError(`column "${name}" holds ${dtype}, not strings`);
    return values as readonly string[];
  }

  json<T>(name: string): readonly T[] {
    return this.column(name).values as unknown as readonly T[];
  }

  /** The entries of one row of a token column: a view, not a copy. */
  tokensOf(name: string, row: number): Float64Array {
    const column = this.column(name);
    const width = typeof column.width === "number" ? column.width : 1;
    return this.f64(name).subarray(this.offsets[row]! * width, this.offsets[row + 1]! * width);
  }

  /** The numbers of `name`, one array a row (width 1): [B][T]. */
  ragged(name: string): number[][] {
    const values = this.f64(name);
    return Array.from({ length: this.rows }, (_, row) => [...values.subarray(this.offsets[row]!, this.offsets[row + 1]!)]);
  }

  /** A value of each row repeated over its tokens, flat. */
  repeat(perRow: ArrayLike<number>): Float64Array {
    const result = new Float64Array(this.tokens);
    for (let row = 0; row < this.rows; row++) result.fill(perRow[row]!, this.offsets[row]!, this.offsets[row + 1]!);
    return result;
  }

  private entries(spec: ColumnSpec): number {
    if (spec.at === "token") return this.tokens;
    if (spec.at === "group") return this.groups;
    if (spec.at === "step") return 1;
    return this.rows;
  }

  /**
   * Adds or replaces columns. A name that is not standard takes its type from `specs`, else from the data.
   * A plain row-level list given for a token column is repeated along each row; a typed array as long as the batch has tokens
   * is one value a token.
   */
  with(columns: Readonly<Record<string, ColumnInput>>, specs: ColumnSpecs = {}): Batch {
    const next = new Map(this.columns);
    for (const [name, given] of Object.entries(columns)) {
      const spec = specs[name] ?? (isStandardColumn(name) ? STANDARD_COLUMNS[name] : this.columns.get(name)) ?? guessSpec(given, this);
      const nested = Array.isArray(given) && given.some(isArrayLike);
      // A typed array as long as the batch has tokens is already one value a token.
      const perToken = nested || (ArrayBuffer.isView(given) && given.length === this.tokens);
      const perRow = spec.at === "token" && spec.width === undefined && given.length === this.rows && !perToken;
      const values = perRow ? this.repeat(Float64Array.from(given as ArrayLike<number>)) : given;
      next.set(name, makeColumn(name, spec, values, this.entries(spec)));
    }
    return new Batch({ lengths: this.lengths, group: this.group, columns: next, trajectories: this.trajectories });
  }

  /** The same rows and columns over other trajectories, whose response lengths must agree. */
  withTrajectories(trajectories: readonly Trajectory[]): Batch {
    return new Batch({ lengths: this.lengths, group: this.group, columns: this.columns, trajectories });
  }

  /** The given rows, in the given order; groups are renumbered, group and step columns kept for the groups that remain. */
  select(rows: ArrayLike<number>): Batch {
    const list = Array.from(rows);
    const group = list.map((row) => this.group[row]!);
    const keptGroups = [...new Set(group)];
    const next = new Map<string, Column>();
    for (const [name, column] of this.columns) {
      const width = typeof column.width === "number" ? column.width : 1;
      const ranges: [number, number][] =
        column.at === "token"
          ? list.map((row) => [this.offsets[row]! * width, this.offsets[row + 1]! * width])
          : column.at === "group"
            ? keptGroups.map((g) => [g * width, (g + 1) * width])
            : column.at === "step"
              ? [[0, width]]
              : list.map((row) => [row * width, (row + 1) * width]);
      next.set(name, { ...column, values: pickRanges(column.values, ranges) });
    }
    return new Batch({
      lengths: list.map((row) => this.offsets[row + 1]! - this.offsets[row]!),
      group,
      columns: next,
      trajectories: this.trajectories.length > 0 ? list.map((row) => this.trajectories[row]!) : [],
    });
  }
}

const isArrayLike = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value);

function guessSpec(given: ColumnInput, batch: Batch): ColumnSpec {
  const first: unknown = given[0];
  const isToken = isArrayLike(first) || (ArrayBuffer.isView(given) && given.length === batch.tokens && given.length !== batch.rows);
  const leaf: unknown = isArrayLike(first) ? (first as ArrayLike<unknown>)[0] : first;
  const dtype = typeof leaf === "string" ? "string" : typeof leaf === "object" && leaf !== null ? "json" : "f64";
  return { at: isToken ? "token" : "row", dtype };
}

function pickRanges(values: Column["values"], ranges: readonly [number, number][]): Column["values"] {
  if (!ArrayBuffer.isView(values)) return ranges.flatMap(([from, to]) => values.slice(from, to) as unknown[]);
  const size = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  const result = new (values.constructor as Float64ArrayConstructor)(size) as Float64Array;
  let at = 0;
  for (const [from, to] of ranges) {
    result.set((values as Float64Array).subarray(from, to), at);
    at += to - from;
  }
  return result;
}

function joinValues(parts: readonly Column["values"][]): Column["values"] {
  const first = parts[0]!;
  if (!ArrayBuffer.isView(first)) return parts.flatMap((part) => [...(part as readonly unknown[])]);
  const result = new (first.constructor as Float64ArrayConstructor)(parts.reduce((sum, part) => sum + part.length, 0)) as Float64Array;
  let at = 0;
  for (const part of parts) {
    result.set(part as Float64Array, at);
    at += part.length;
  }
  return result;
}
