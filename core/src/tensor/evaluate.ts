import { ShapeError } from "../errors.js";
import { type Bindings, type Dim, evaluateDim, solveDim, symbolsOf } from "./dim.js";
import { type Expr, topologicalOrder } from "./expr.js";
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
export function bindDims(inputs: readonly Expr<"input">[], feeds: Feeds, given: Readonly<Record<string, number>> = {}): Bindings {
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

/**
 * Values of `exprs` in float64 (int32, bool), each node computed once: the reference that graphs are compared with.
 * Symbolic sizes come from the shapes of the feeds and from `sizes`. Feeds that no input names are ignored.
 * `ShapeError` for a missing or unfitting feed, an index outside its axis, a size that comes out negative.
 */
export function evaluate(exprs: readonly Expr[], feeds: Feeds, sizes: Readonly<Record<string, number>> = {}): TensorValue[] {
  const order = topologicalOrder(exprs);
  const bindings = bindDims(
    order.filter((node) => node.is("input")),
    feeds,
    sizes,
  );
  const size = (dim: Dim) => evaluateDim(dim, bindings);
  const values = new Map<Expr, TensorValue>();
  const uses = new Map<Expr, number>();
  for (const x of [...exprs, ...order.flatMap((node) => node.inputs)]) uses.set(x, (uses.get(x) ?? 0) + 1);

  for (const node of order) {
    if (node.is("input")) {
      values.set(node, feedOf(node, feeds));
      continue;
    }
    const shape = node.shape.map(size);
    const inputs = node.inputs.map((x) => values.get(x)!);
    const kernel = kernels[node.op as keyof typeof kernels] as Kernel;
    values.set(node, { shape, data: kernel({ node, inputs, shape, size }) });
    for (const x of node.inputs) {
      const left = uses.get(x)! - 1;
      uses.set(x, left);
      if (left === 0) values.delete(x);
    }
  }
  // A result that is a feed unchanged must not change with the caller's array.
  const fed = new Set(Object.values(feeds).map((value) => value.data));
  return exprs.map((expr) => {
    const { shape, data } = values.get(expr)!;
    return { shape, data: fed.has(data) ? data.slice() : data };
  });
}
