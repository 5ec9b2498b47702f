/** How a component depends on a column. */
export interface ColumnNeed {
  /** Used where it exists; nobody has to write it. */
  optional?: boolean;
  /** Not read while the component's options have these values: `{ klCoef: 0 }`. */
  unless?: Readonly<Record<string, string | number | boolean | null>>;
}

/** The references that hold under the given options. */
export const readsUnder = <R extends string | ColumnNeed>(references: readonly R[], options: Readonly<Record<string, unknown>>): R[] =>
  references.filter((reference) => {
    const unless = typeof reference === "string" ? undefined : (reference as ColumnNeed).unless;
    return unless === undefined || !Object.entries(unless).every(([name, value]) => options[name] === value);
  });
