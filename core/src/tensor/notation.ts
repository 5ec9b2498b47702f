import type { Expr } from "./expr.js";
import type { Op } from "./ops.js";
import { sizeOf } from "./shape.js";

/** How tightly a piece of an equation binds. */
export const LEVEL = { or: 0, and: 1, compare: 2, sum: 3, product: 4, minus: 5, power: 6, atom: 7 } as const;

export interface Piece {
  text: string;
  level: number;
}

/** One step of an equation: the parts that it is made of, and how these are written together. */
export interface Notation {
  parts: readonly Expr[];
  write: (parts: readonly Piece[]) => Piece;
}

const atom = (text: string): Piece => ({ text, level: LEVEL.atom });
const wrap = ({ text, level }: Piece, atLeast: number): string => (level >= atLeast ? text : `(${text})`);
const call = (name: string, parts: readonly Expr[], ...more: string[]): Notation => ({
  parts,
  write: (pieces) => atom(`${name}(${[...pieces.map((piece) => piece.text), ...more].join(", ")})`),
});
const around = (open: string, part: Expr, close: string): Notation => ({
  parts: [part],
  write: ([piece]) => atom(`${open}${piece!.text}${close}`),
});

/** An operand to the right of an operator: a leading minus sign gets parentheses too. */
const wrapRight = (piece: Piece, atLeast: number): string => wrap(piece, piece.level === LEVEL.minus ? LEVEL.atom : atLeast);

/** `right` is what the right operand must bind like: one level more where a − (b − c) needs its parentheses. */
const infix = (sign: string, level: number, parts: readonly Expr[], right: number = level): Notation => ({
  parts,
  write: ([a, b]) => ({
    text: `${wrap(a!, level)}${sign}${wrapRight(b!, right)}`,
    // −a·b reads as −(a·b).
    level: level === LEVEL.product && a!.level === LEVEL.minus ? LEVEL.minus : level,
  }),
});
const plus = (a: Expr, b: Expr): Notation => ({
  parts: [a, b],
  write: ([left, right]) => {
    const negative = right!.level === LEVEL.minus;
    return {
      text: `${wrap(left!, LEVEL.sum)} ${negative ? `− ${right!.text.slice(1)}` : `+ ${wrap(right!, LEVEL.sum)}`}`,
      level: LEVEL.sum,
    };
  },
});
const minus = (a: Expr, b: Expr): Notation => infix(" − ", LEVEL.sum, [a, b], LEVEL.product);
const squared = (x: Expr): Notation => ({ parts: [x], write: ([piece]) => ({ text: `${wrap(piece!, LEVEL.atom)}²`, level: LEVEL.power }) });

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  return String(Number(value.toPrecision(6))).replace("-", "−");
}

const number = (value: number): Notation => ({
  parts: [],
  write: () => ({ text: formatNumber(value), level: value < 0 ? LEVEL.minus : LEVEL.atom }),
});

/** Nodes that change layout or scheduling but no value: not written. */
export const isSilent = (x: Expr): boolean =>
  x.is("reshape") || x.is("broadcast") || x.is("guard") || x.is("customGradient") || (x.is("cast") && x.inputs[0]!.dtype !== "bool");

function peel(x: Expr): Expr {
  return isSilent(x) ? peel(x.inputs[0]!) : x;
}

const literal = (x: Expr): number | undefined => {
  const inner = peel(x);
  return inner.is("constant") && inner.attributes.data.length === 1 ? inner.attributes.data[0] : undefined;
};

/** `_T`, `_{B,T}`: the reduced axes by their symbols; nothing where all of a tensor's axes are reduced. */
function under(x: Expr, axes: readonly number[]): string {
  if (axes.length === x.rank) return "";
  const labels = axes.map((axis) => {
    const dim = x.shape[axis]!;
    return typeof dim === "string" && x.shape.indexOf(dim) === x.shape.lastIndexOf(dim) ? dim : `axis ${axis}`;
  });
  return labels.length === 1 && /^\w+$/.test(labels[0]!) ? `_${labels[0]}` : `_{${labels.join(",")}}`;
}

/** The operand y of a mean, Σ y / n with n the number of elements summed. */
function meanOperand(x: Expr): Notation | undefined {
  const [total, count] = x.inputs.map(peel);
  if (!x.is("div") || !total!.is("sum")) return undefined;
  const { axes } = total.attributes;
  const operand = total.inputs[0]!;
  const size = sizeOf(axes.map((axis) => operand.shape[axis]!));
  const isCounted = count!.is("sum") && sameAxes(count.attributes.axes, axes) && literal(count.inputs[0]!) === 1;
  if (!isCounted && (size === undefined || literal(count!) !== size)) return undefined;
  return call(`mean${under(operand, axes)}`, [operand]);
}

const sameAxes = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((axis, i) => axis === b[i]);

interface Reduced {
  operand: Expr;
  axes: readonly number[];
}

/** y and its axes where x = y − sg[max y]. */
function shiftedByPeak(x: Expr): Reduced | undefined {
  const peak = x.is("sub") && x.inputs[1]!.is("stopGradient") ? x.inputs[1]!.inputs[0]! : undefined;
  return peak?.is("reduceMax") && peak.inputs[0] === x.inputs[0] ? { operand: peak.inputs[0]!, axes: peak.attributes.axes } : undefined;
}

/** y where x = log Σ exp y over `axes`. */
function logTotalOf(x: Expr, axes: readonly number[] | undefined): Expr | undefined {
  const total = x.is("log") ? x.inputs[0]! : undefined;
  if (!total?.is("sum") || !axes || !sameAxes(total.attributes.axes, axes)) return undefined;
  return total.inputs[0]!.is("exp") ? total.inputs[0]!.inputs[0] : undefined;
}

/** y where x = log Σ exp(y − max y) + max y. */
function logSumExpOperand(x: Expr): Reduced | undefined {
  const [logarithm, peak] = x.inputs;
  if (!x.is("add") || !logarithm!.is("log")) return undefined;
  const shifted = logarithm.inputs[0]!.inputs[0]?.inputs[0];
  const reduced = shifted && shiftedByPeak(shifted);
  return shifted?.inputs[1] === peak && logTotalOf(logarithm, reduced?.axes) === shifted ? reduced : undefined;
}

/** y where x = (y − max y) − log Σ exp(y − max y). */
function logSoftmaxOperand(x: Expr): Reduced | undefined {
  const reduced = x.is("sub") ? shiftedByPeak(x.inputs[0]!) : undefined;
  return reduced && logTotalOf(x.inputs[1]!, reduced.axes) === x.inputs[0] ? reduced : undefined;
}

/** min(max(y, low), high) and max(min(y, high), low), with bounds of one element. */
function clip(x: Expr): Notation | undefined {
  const other = x.is("min") ? "max" : "min";
  const inner = peel(x.inputs[0]!);
  if (!inner.is(other)) return undefined;
  const [operand, outerBound, innerBound] = [inner.inputs[0]!, x.inputs[1]!, inner.inputs[1]!];
  if (sizeOf(outerBound.shape) !== 1 || sizeOf(innerBound.shape) !== 1) return undefined;
  return call("clip", x.is("min") ? [operand, innerBound, outerBound] : [operand, outerBound, innerBound]);
}

function comparison(sign: string, flipped: string, [a, b]: readonly Expr[]): Notation {
  const swap = literal(a!) !== undefined && literal(b!) === undefined;
  return swap ? infix(flipped, LEVEL.compare, [b!, a!], LEVEL.sum) : infix(sign, LEVEL.compare, [a!, b!], LEVEL.sum);
}

function bounds(starts: readonly unknown[], ends: readonly unknown[]): string {
  const ranges = starts.map((start, i) => `${start === 0 ? "" : start}:${ends[i] ?? ""}`);
  return `[${ranges.join(", ")}]`;
}

const notations: { [O in Op]?: (x: Expr<O>, inputs: readonly Expr[]) => Notation } = {
  input: (x) => ({ parts: [], write: () => atom(x.attributes.name) }),
  constant: (x) => {
    const { data } = x.attributes;
    if (data.length === 1) return number(data[0]!);
    const shown = [...data.slice(0, 4)].map(formatNumber).join(", ");
    return { parts: [], write: () => atom(`[${shown}${data.length > 4 ? ", …" : ""}]`) };
  },
  iota: (x) => ({ parts: [], write: () => atom(`iota(${x.attributes.size})`) }),
  neg: (_, [a]) => {
    const inner = peel(a!);
    const operand = inner.is("reduceMax") ? peel(inner.inputs[0]!) : undefined;
    if (inner.is("reduceMax") && operand?.is("neg")) return call(`min${under(operand, inner.attributes.axes)}`, [operand.inputs[0]!]);
    return { parts: [a!], write: ([piece]) => ({ text: `−${wrapRight(piece!, LEVEL.product)}`, level: LEVEL.minus }) };
  },
  abs: (_, [a]) => around("|", a!, "|"),
  floor: (_, [a]) => around("⌊", a!, "⌋"),
  sqrt: (_, [a]) => ({ parts: [a!], write: ([piece]) => atom(`√${wrap(piece!, LEVEL.atom)}`) }),
  sigmoid: (_, [a]) => call("σ", [a!]),
  exp: (_, [a]) => {
    const softmax = logSoftmaxOperand(a!);
    return softmax ? call(`softmax${under(softmax.operand, softmax.axes)}`, [softmax.operand]) : call("exp", [a!]);
  },
  add: (x, [a, b]) => {
    const total = logSumExpOperand(x);
    if (total) return call(`logsumexp${under(total.operand, total.axes)}`, [total.operand]);
    const left = peel(a!);
    return left.is("neg") && !peel(b!).is("neg") ? minus(b!, left.inputs[0]!) : plus(a!, b!);
  },
  sub: (x, [a, b]) => {
    const softmax = logSoftmaxOperand(x);
    return softmax ? call(`logsoftmax${under(softmax.operand, softmax.axes)}`, [softmax.operand]) : minus(a!, b!);
  },
  mul: (_, [a, b]) => (a === b ? squared(a!) : infix("·", LEVEL.product, [a!, b!])),
  div: (x, [a, b]) => meanOperand(x) ?? infix(" / ", LEVEL.product, [a!, b!], LEVEL.power),
  pow: (_, [a, b]) => (literal(b!) === 2 ? squared(a!) : infix("^", LEVEL.power, [a!, b!], LEVEL.atom)),
  min: (x, inputs) => clip(x) ?? call("min", inputs),
  max: (x, inputs) => clip(x) ?? call("max", inputs),
  less: (_, inputs) => comparison(" < ", " > ", inputs),
  lessEqual: (_, inputs) => comparison(" ≤ ", " ≥ ", inputs),
  equal: (_, inputs) => comparison(" = ", " = ", inputs),
  not: (_, [a]) =>
    a!.is("equal")
      ? comparison(" ≠ ", " ≠ ", a!.inputs)
      : { parts: [a!], write: ([piece]) => ({ text: `¬${wrap(piece!, LEVEL.atom)}`, level: LEVEL.power }) },
  and: (_, inputs) => infix(" ∧ ", LEVEL.and, inputs),
  or: (_, inputs) => infix(" ∨ ", LEVEL.or, inputs),
  cast: (_, [a]) => around("1[", a!, "]"),
  matmul: (x, inputs) => ({
    parts: inputs,
    write: ([a, b]) => {
      const { transposeA, transposeB } = x.attributes;
      const left = transposeA ? `${wrap(a!, LEVEL.atom)}ᵀ` : wrap(a!, LEVEL.product);
      const right = transposeB ? `${wrap(b!, LEVEL.atom)}ᵀ` : wrapRight(b!, LEVEL.power);
      return { text: `${left} @ ${right}`, level: LEVEL.product };
    },
  }),
  sum: (x, [a]) => call(`Σ${under(a!, x.attributes.axes)}`, [a!]),
  reduceMax: (x, [a]) => call(`max${under(a!, x.attributes.axes)}`, [a!]),
  argmax: (x, [a]) => call(`argmax${under(a!, [x.attributes.axis])}`, [a!]),
  cumsum: (x, [a]) => {
    const { axis, exclusive, reverse } = x.attributes;
    return call(`cumsum${under(a!, [axis])}`, [a!], ...(exclusive ? ["exclusive"] : []), ...(reverse ? ["reverse"] : []));
  },
  transpose: (x, [a]) =>
    x.rank === 2
      ? { parts: [a!], write: ([piece]) => ({ text: `${wrap(piece!, LEVEL.atom)}ᵀ`, level: LEVEL.power }) }
      : call("transpose", [a!], `[${x.attributes.permutation.join(", ")}]`),
  slice: (x, [a]) => ({
    parts: [a!],
    write: ([piece]) => atom(`${wrap(piece!, LEVEL.atom)}${bounds(x.attributes.starts, x.attributes.ends)}`),
  }),
  pad: (x, [a]) => call("pad", [a!], `[${x.attributes.before.join(", ")}]`, `[${x.attributes.after.join(", ")}]`),
  gather: (x, inputs) =>
    x.attributes.axis === 0
      ? { parts: inputs, write: ([a, i]) => atom(`${wrap(a!, LEVEL.atom)}[${i!.text}]`) }
      : call("gather", inputs, `axis ${x.attributes.axis}`),
  topKValues: (x, inputs) => call(`top${x.attributes.k}`, inputs),
  topKIndices: (x, inputs) => call(`argtop${x.attributes.k}`, inputs),
  stopGradient: (_, [a]) => around("sg[", a!, "]"),
  external: (x, inputs) => call(x.attributes.operator, inputs),
};

/** How an expression is written; silent nodes are looked through first. */
export function notationOf(x: Expr): Notation {
  const shown = peel(x);
  const notation = notations[shown.op] as ((x: Expr, inputs: readonly Expr[]) => Notation) | undefined;
  return notation ? notation(shown, shown.inputs) : call(shown.op, shown.inputs);
}
