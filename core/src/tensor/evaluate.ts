import { ShapeError } from "../errors.js";
import { type Bindings, type Dim, evaluateDim, solveDim, symbolsOf } from "./dim.js";
import type { Expr } from "./expr.js";
import { topologicalOrder } from "./graph.js";
import { kernels } from "./kernels/index.js";
import type { Kernel } from "./kernels/kernel.js";
import { formatShape } from "./shape.js";
import { dtypeOf, elementCount, type TensorValue } from "./value.js";

/** Tensors by input name. */
export type Feeds = Readonly<Record<string, TensorValue>>;

const describeInput = (node: Expr<"input">): string => `input ${node.attributes.name} (${node.dtype} ${formatShape(node.shape)})`;

function feedOf(node: Expr<"input">, feeds: Feeds): TensorValue {
  const { name } = node.attributes;
  const what = describeInput(node);
  const value = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
  if (value === undefined) throw new ShapeError(`${what} is not fed`, { given: Object.keys(feeds).join(", ") || "no feeds" });
  if (dtypeOf(value) !== node.dtype) throw new ShapeError(`${what} is fed with ${dtypeOf(value)} ${formatShape(value.shape)}`);
  if (value.shape.length !== node.rank) {
    throw new ShapeError(`${what} is fed with a tensor of rank ${value.shape.length}: ${formatShape(value.shape)}`);
  }
  if (elementCount(value.shape) !== value.data.length) {
    throw new ShapeError(`${what} is fed with ${value.data.length} elements for the shape ${formatShape(value.shape)}`);
  }
  return value;
}

/**
 * The values of the symbols, from the shapes of the feeds. Derived sizes count too: a feed for `[T-1]` binds T.
 * `ShapeError` names the input whose feed contradicts the others.
 */
export function bindDims(inputs: readonly Expr<"input">[], feeds: Feeds, given: Sizes = {}): Bindings {
  const bindings = new Map(Object.entries(given));
  const source = new Map(Object.keys(given).map((symbol) => [symbol, "the given sizes"]));
  const equations = inputs.flatMap((node) => {
    const { shape } = feedOf(node, feeds);
    return node.shape.map((dim, axis) => ({ node, axis, dim, size: shape[axis]!, shape }));
  });
  const contradiction = ({ node, axis, dim, size, shape }: (typeof equations)[number]) => {
    const because = symbolsOf(dim).flatMap((symbol) =>
      source.has(symbol) ? [`${symbol} = ${bindings.get(symbol)} from ${source.get(symbol)}`] : [],
    );
    return new ShapeError(
      `${describeInput(node)} is fed with ${formatShape(shape)}: axis ${axis} is ${size}, not ${dim}${because.length > 0 ? ` (${because.join(", ")})` : ""}`,
    );
  };

  for (let open = equations, progress = true; progress; ) {
    progress = false;
    const waiting: typeof equations = [];
    for (const equation of open) {
      const { node, dim, size } = equation;
      const free = symbolsOf(dim).filter((symbol) => !bindings.has(symbol));
      if (free.length > 1) {
        waiting.push(equation);
        continue;
      }
      if (free.length === 1) {
        const solution = solveDim(dim, size, bindings);
        if (solution === undefined) throw contradiction(equation);
        bindings.set(solution.symbol, solution.value);
        source.set(solution.symbol, `input ${node.attributes.name}`);
        progress = true;
      } else if (evaluateDim(dim, bindings) !== size) throw contradiction(equation);
    }
    open = waiting;
  }
  return bindings;
}

/** Values for the symbols that no feed binds. */
export type Sizes = Readonly<Record<string, number>>;

export interface EvaluationMode {
  /** float32: what is fed and what each node gives is rounded to float32; sums within a node are still float64. */
  precision?: "float64" | "float32";
  /** Values of inner nodes, taken instead of computing them: for derivatives that hold what `stopGradient` stops. */
  held?: ReadonlyMap<Expr, TensorValue>;
}

const round = (value: TensorValue): TensorValue =>
  value.data instanceof Float64Array ? { shape: value.shape, data: value.data.map(Math.fround) } : value;

/** Prepares `exprs` for many evaluations: see `evaluate`. */
export function evaluator(exprs: readonly Expr[]): (feeds: Feeds, sizes?: Sizes, options?: EvaluationMode) => TensorValue[] {
  const order = topologicalOrder(exprs);
  const inputs = order.filter((node) => node.is("input"));
  const lastUse = new Map<Expr, number>();
  order.forEach((node, at) => {
    for (const x of node.inputs) lastUse.set(x, at);
  });
  for (const root of exprs) lastUse.delete(root);
  const finished = order.map((node, at) => [...new Set(node.inputs)].filter((x) => lastUse.get(x) === at));

  return (feeds, sizes, { precision = "float64", held = new Map() } = {}) => {
    const bindings = bindDims(inputs, feeds, sizes);
    const size = (dim: Dim) => evaluateDim(dim, bindings);
    const settle = precision === "float32" ? round : (value: TensorValue) => value;
    const values = new Map<Expr, TensorValue>(inputs.map((node) => [node, settle(feedOf(node, feeds))]));
    order.forEach((node, at) => {
      if (node.is("input")) return;
      const known = held.get(node);
      if (known === undefined) {
        const shape = node.shape.map(size);
        const operands = node.inputs.map((x) => values.get(x)!);
        const kernel = kernels[node.op as keyof typeof kernels] as Kernel;
        values.set(node, settle({ shape, data: kernel({ node, inputs: operands, shape, size }) }));
      } else values.set(node, known);
      for (const x of finished[at]!) values.delete(x);
    });
    // A result that is a feed unchanged must not change with the caller's array.
    const fed = new Set(Object.values(feeds).map((value) => value.data));
    return exprs.map((expr) => {
      const { shape, data } = values.get(expr)!;
      return { shape, data: fed.has(data) ? data.slice() : data };
    });
  };
}

/**
 * Values of `exprs` in float64 (int32, bool), each node computed once and kept until its last use: the reference that
 * graphs are compared with. Symbolic sizes come from the shapes of the feeds and from `sizes`. Feeds that no input
 * names are ignored. `ShapeError` for a missing or unfitting feed, an index outside its axis, a size below 0.
 */
export const evaluate = (exprs: readonly Expr[], feeds: Feeds, sizes?: Sizes, options?: EvaluationMode): TensorValue[] =>
  evaluator(exprs)(feeds, sizes, options);
