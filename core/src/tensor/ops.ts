import type { Dim } from "./dim.js";
import type { DType, Shape } from "./shape.js";

export const UNARY_FLOAT = [
  "neg",
  "abs",
  "sign",
  "exp",
  "log",
  "log1p",
  "expm1",
  "tanh",
  "sigmoid",
  "softplus",
  "sqrt",
  "sin",
  "cos",
  "floor",
  "erf",
] as const;
export const BINARY_FLOAT = ["add", "sub", "mul", "div", "pow", "min", "max"] as const;
export const COMPARISONS = ["less", "lessEqual", "equal"] as const;

export type UnaryOp = (typeof UNARY_FLOAT)[number];
export type BinaryOp = (typeof BINARY_FLOAT)[number];
export type ComparisonOp = (typeof COMPARISONS)[number];

/** Data of a constant: row-major, one number an element (bool: 0 or 1). */
export type ConstantData = Float64Array | Int32Array;

/** Attributes of each primitive. A primitive's inputs are listed beside it; `Node` is the type of its operands. */
export interface AttributesOf<Node> extends Record<UnaryOp | BinaryOp | ComparisonOp, Record<string, never>> {
  /** () */ input: { name: string };
  /** () */ constant: { data: ConstantData };
  /** () 0, 1, … along a single axis; int */ iota: { size: Dim };
  /** (bool) */ not: Record<string, never>;
  /** (bool, bool) */ and: Record<string, never>;
  /** (bool, bool) */ or: Record<string, never>;
  /** (float) → bool: neither NaN nor infinite */ isFinite: Record<string, never>;
  /** (condition, whenTrue, whenFalse) */ where: Record<string, never>;
  /** (x); float → int drops the fraction, → bool: not 0 */ cast: { to: DType };
  /** (a [..., m, k], b [..., k, n]), batch axes broadcast */ matmul: { transposeA: boolean; transposeB: boolean };
  /** (x) */ sum: { axes: readonly number[]; keepDims: boolean };
  /** (x) */ reduceMax: { axes: readonly number[]; keepDims: boolean };
  /** (x) → int, first of equals */ argmax: { axis: number; keepDims: boolean };
  /** (x) */ cumsum: { axis: number; exclusive: boolean; reverse: boolean };
  /** (x) */ reshape: { shape: Shape };
  /** (x) */ transpose: { permutation: readonly number[] };
  /** (x) along every axis: start inclusive, end exclusive; end null = to the end; never counted from the end */
  slice: { starts: readonly Dim[]; ends: readonly (Dim | null)[] };
  /** (x) zeros before and after, per axis */ pad: { before: readonly Dim[]; after: readonly Dim[] };
  /** (x, y, …) */ concat: { axis: number };
  /** (x) to a shape that x broadcasts to */ broadcast: { shape: Shape };
  /** (data, indices int): data.shape with `axis` replaced by indices.shape */ gather: { axis: number };
  /** (indices int [..r], updates): zeros of `size` along `axis`, updates added; inverse of gather */
  scatterAdd: { axis: number; size: Dim; indexRank: number };
  /** (data, indices int of the same rank): one element of `axis` for each index */ gatherElements: { axis: number };
  /** (indices, updates of the same shape): zeros of `size` along `axis`, updates added */
  scatterElementsAdd: { axis: number; size: Dim };
  /** (x) the k largest along the last axis, descending; ties: smaller index first */ topKValues: { k: number };
  /** (x) → int */ topKIndices: { k: number };
  /** (x) identity without gradient */ stopGradient: Record<string, never>;
  /** (value, x1, …, xn) value; its gradient is `vjp(g)`, one expression (or null) for each x */
  customGradient: { vjp: (g: Node, inputs: readonly Node[]) => readonly (Node | null)[] };
  /** (x, after) x, computed after `after` and never merged with an equal expression: recomputation in the backward pass */
  guard: Record<string, never>;
  /** (…) a runtime's own operator; no gradient, not evaluable. `output` picks one of several outputs. */
  external: {
    operator: string;
    domain: string;
    attributes: Readonly<Record<string, unknown>>;
    output: number;
    outputs: number;
    /** The same object for all outputs of one call. */
    call: object;
  };
}

export type Op = keyof AttributesOf<unknown>;
