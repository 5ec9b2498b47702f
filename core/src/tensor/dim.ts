import { ShapeError } from "../errors.js";

/** A size: a number, a symbol such as `B` or `T`, or a sum of symbols and numbers such as `T-1`, `P+T` or `2*T`. */
export type Dim = number | string;

/** Values of the symbols. */
export type Bindings = ReadonlyMap<string, number>;

/** constant + Σ coefficient · symbol, without zero coefficients. */
export interface LinearDim {
  readonly constant: number;
  readonly terms: ReadonlyMap<string, number>;
}

const TERM = /([+-]?)(?:(\d+)(?:\*([A-Za-z_]\w*))?|([A-Za-z_]\w*))/y;

function parse(dim: Dim): LinearDim {
  if (typeof dim === "number") return { constant: dim, terms: new Map() };
  const terms = new Map<string, number>();
  let constant = 0;
  TERM.lastIndex = 0;
  for (let at = 0; at < dim.length || at === 0; at = TERM.lastIndex) {
    const match = TERM.exec(dim);
    if (match === null || (at > 0 && match[1] === ""))
      throw new ShapeError(`"${dim}" is no size`, { accepted: "a symbol, or a sum such as T-1 or P+T" });
    const sign = match[1] === "-" ? -1 : 1;
    const symbol = match[3] ?? match[4];
    if (symbol === undefined) constant += sign * Number(match[2]);
    else terms.set(symbol, (terms.get(symbol) ?? 0) + sign * Number(match[2] ?? 1));
  }
  return { constant, terms };
}

function format({ constant, terms }: LinearDim): Dim {
  const parts = [...terms]
    .filter(([, coefficient]) => coefficient !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([symbol, coefficient]) => `${coefficient < 0 ? "-" : "+"}${Math.abs(coefficient) === 1 ? "" : `${Math.abs(coefficient)}*`}${symbol}`,
    );
  if (parts.length === 0) return constant;
  if (constant !== 0) parts.push(constant < 0 ? `${constant}` : `+${constant}`);
  return parts.join("").replace(/^\+/, "");
}

/** The one spelling of a size: symbols sorted, the number last. Equal sizes are equal strings. */
export const canonicalDim = (dim: Dim): Dim => (typeof dim === "number" ? dim : format(parse(dim)));

function combine(a: Dim, b: Dim, sign: 1 | -1): Dim {
  if (typeof a === "number" && typeof b === "number") return a + sign * b;
  const [left, right] = [parse(a), parse(b)];
  const terms = new Map(left.terms);
  for (const [symbol, coefficient] of right.terms) terms.set(symbol, (terms.get(symbol) ?? 0) + sign * coefficient);
  return format({ constant: left.constant + sign * right.constant, terms });
}

export const addDims = (...dims: readonly Dim[]): Dim => dims.reduce((a, b) => combine(a, b, 1), 0);
export const subtractDims = (a: Dim, b: Dim): Dim => combine(a, b, -1);

/** The constant of a size, and its symbols with their factors. */
export const linearDim: (dim: Dim) => LinearDim = parse;

/** The size with the symbols that have values replaced by them; a number when all have. `ShapeError` when it is negative. */
export function bindDim(dim: Dim, bindings: Bindings): Dim {
  if (typeof dim === "number") return dim;
  const { constant, terms } = parse(dim);
  const free = new Map([...terms].filter(([symbol]) => !bindings.has(symbol)));
  if (free.size === 0) return evaluateDim(dim, bindings);
  let total = constant;
  for (const [symbol, factor] of terms) total += factor * (bindings.get(symbol) ?? 0);
  return format({ constant: total, terms: free });
}

export const symbolsOf = (dim: Dim): string[] => [...parse(dim).terms.keys()];

/** The number that a size stands for. `ShapeError` when a symbol has no value or the size comes out negative. */
export function evaluateDim(dim: Dim, bindings: Bindings): number {
  if (typeof dim === "number") return dim;
  const { constant, terms } = parse(dim);
  let size = constant;
  for (const [symbol, coefficient] of terms) {
    const value = bindings.get(symbol);
    if (value === undefined) throw new ShapeError(`the size ${dim} has no value: no feed binds ${symbol}`);
    size += coefficient * value;
  }
  if (size < 0) throw new ShapeError(`the size ${dim} comes out as ${size}`, { given: Object.fromEntries(bindings) });
  return size;
}

/** The value of the only free symbol of `dim` for which `dim` equals `size`; undefined when that is no whole number. */
export function solveDim(dim: Dim, size: number, bindings: Bindings): { symbol: string; value: number } | undefined {
  const { constant, terms } = parse(dim);
  const symbol = [...terms.keys()].find((name) => !bindings.has(name));
  if (symbol === undefined) return undefined;
  let rest = size - constant;
  for (const [other, coefficient] of terms) if (other !== symbol) rest -= coefficient * bindings.get(other)!;
  const value = rest / terms.get(symbol)!;
  return Number.isInteger(value) && value >= 0 ? { symbol, value } : undefined;
}
