import {
  constant,
  type Dim,
  type DType,
  type Expr,
  external,
  formatShape,
  input,
  type Shape,
  ShapeError,
  sameShape,
  symbolsOf,
  topologicalOrder,
} from "@proximal/core";
import { Subgraph } from "./attributes.js";
import { sizesIn } from "./sizes.js";

export interface LoopStep<Carried extends string, Scan extends string> {
  /** Values for the next step, in the shapes of the carried ones. */
  carried: Readonly<Record<Carried, Expr>>;
  /** Values of this step, stacked over the steps in the result. */
  scans?: Readonly<Record<Scan, Expr>>;
  /** bool []: whether another step follows; always, if left out. */
  proceed?: Expr;
}

export interface LoopOptions<Carried extends string, Scan extends string> {
  /** int [] or a number: steps at most. */
  maxIterations: Expr | number;
  /** Values before the first step. */
  carried: Readonly<Record<Carried, Expr>>;
  /** Shapes within a step, of the carried values that grow: a size of their own as a symbol, e.g. [B, H, "past", D]. */
  shapes?: Readonly<Partial<Record<Carried, Shape>>>;
  /** How many steps the scans hold; by default `maxIterations`, or the symbol `iterations` with an early exit. */
  length?: Dim;
  /** Symbols of sizes that only exist within a step, beside those in `shapes`. */
  sizes?: readonly string[];
  /** One step. It may use any outer expression; what does not change from step to step is computed once, outside. */
  body(step: { iteration: Expr; carried: Record<Carried, Expr> }): LoopStep<Carried, Scan>;
}

export interface LoopResult<Carried extends string, Scan extends string> {
  /** After the last step. A size of its own is the symbol with `_final` behind it. */
  carried: Record<Carried, Expr>;
  /** [length, ...] each */
  scans: Record<Scan, Expr>;
}

const mapRecord = <K extends string, A, B>(record: Readonly<Record<K, A>>, f: (value: A, key: K) => B): Record<K, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value as A, key as K)])) as Record<K, B>;

/** Written again in the body instead of read from outside: they cost nothing there. */
const isCheap = (node: Expr): boolean => node.is("constant") || node.is("iota") || node.is("broadcast");

const symbolsIn = (shapes: readonly Shape[]): Set<string> => new Set(shapes.flat().flatMap(symbolsOf));

/** The outer expressions that the body reads: the last ones on each path that depend neither on its inputs nor on its own sizes. */
function capturesOf(inputs: readonly Expr[], outputs: readonly Expr[], ownSizes: ReadonlySet<string>): Expr[] {
  const dependent = new Set<Expr>(inputs);
  const order = topologicalOrder(outputs);
  const isOwn = (node: Expr) => ownSizes.size > 0 && sizesIn(node).some((dim) => symbolsOf(dim).some((symbol) => ownSizes.has(symbol)));
  for (const node of order) if (node.inputs.some((x) => dependent.has(x)) || isOwn(node)) dependent.add(node);
  const captured = new Set<Expr>();
  const visit = (x: Expr) => {
    if (dependent.has(x)) return;
    if (isCheap(x)) x.inputs.forEach(visit);
    else captured.add(x);
  };
  for (const node of order) if (dependent.has(node)) node.inputs.forEach(visit);
  outputs.forEach(visit);
  return [...captured];
}

function checkScalar(what: string, x: Expr, dtype: DType): Expr {
  if (x.dtype !== dtype || x.rank !== 0) throw new ShapeError(`loop: ${what} is a ${dtype} [], not ${x.dtype} ${formatShape(x.shape)}`);
  return x;
}

/** Steps inside the graph: ONNX `Loop`. It has no gradient and the reference evaluator does not know it. */
export function loop<Carried extends string, Scan extends string = never>({
  maxIterations,
  carried,
  shapes,
  length,
  sizes = [],
  body,
}: LoopOptions<Carried, Scan>): LoopResult<Carried, Scan> {
  const shapeOf = (name: Carried): Shape => shapes?.[name] ?? carried[name].shape;
  const iteration = input("step of a loop", [], "int");
  const before = input("condition of a loop", [], "bool");
  const current = mapRecord(carried, (x, name: Carried) => input(`${name} in a loop`, shapeOf(name), x.dtype));
  const step = body({ iteration, carried: { ...current } });

  const names = Object.keys(carried) as Carried[];
  const next = names.map((name) => {
    const [from, to] = [current[name], step.carried[name]];
    if (to === undefined) throw new ShapeError(`loop: a step gives no ${name}`, { given: Object.keys(step.carried) });
    const fits = to.dtype === from.dtype && (shapes?.[name] ? to.rank === from.rank : sameShape(to.shape, from.shape));
    if (!fits) {
      throw new ShapeError(
        `loop: ${name} goes into a step as ${from.dtype} ${formatShape(from.shape)} and comes out as ${to.dtype} ${formatShape(to.shape)}`,
        { hint: "for a value that grows, give its shape within a step in `shapes`" },
      );
    }
    return to;
  });
  const scans = step.scans ?? ({} as Record<Scan, Expr>);
  const proceed = checkScalar("proceed", step.proceed ?? constant(1, [], "bool"), "bool");
  const limit = typeof maxIterations === "number" ? constant(maxIterations, [], "int") : checkScalar("maxIterations", maxIterations, "int");

  const bodyInputs = [iteration, before, ...names.map((name) => current[name])];
  const bodyOutputs = [proceed, ...next, ...(Object.values(scans) as Expr[])];
  const outerSizes = symbolsIn(names.map((name) => carried[name].shape));
  const ownSizes = new Set([...symbolsIn(names.map(shapeOf)), ...sizes].filter((symbol) => !outerSizes.has(symbol)));
  const captures = capturesOf(bodyInputs, bodyOutputs, ownSizes);
  const steps = length ?? (typeof maxIterations === "number" && !step.proceed ? maxIterations : "iterations");
  const outputs = [
    ...names.map((name) => ({ shape: finalShape(shapeOf(name), ownSizes), dtype: carried[name].dtype })),
    ...(Object.values(scans) as Expr[]).map((x) => ({ shape: [steps, ...x.shape], dtype: x.dtype })),
  ];
  const operands = [limit, constant(1, [], "bool"), ...names.map((name) => carried[name]), ...captures];
  const results = external("Loop", operands, outputs, { attributes: { body: new Subgraph(bodyInputs, bodyOutputs, captures) } });
  const pick = <K extends string>(keys: K[], from: number) =>
    Object.fromEntries(keys.map((key, i) => [key, results[from + i]!])) as Record<K, Expr>;
  return { carried: pick(names, 0), scans: pick(Object.keys(scans) as Scan[], names.length) };
}

/** A symbol that stands for a size of one step does not stand for the size after the last. */
const finalShape = (shape: Shape, ownSizes: ReadonlySet<string>): Shape =>
  shape.map((dim) => (symbolsOf(dim).some((symbol) => ownSizes.has(symbol)) ? `${symbolsOf(dim).join("_")}_final` : dim));
