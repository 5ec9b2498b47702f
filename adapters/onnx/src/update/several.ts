import {
  concat,
  constant,
  type Dim,
  type Expr,
  elementCount,
  evaluateDim,
  external,
  type FeedValue,
  input,
  topologicalOrder,
} from "@proximal/core";
import { loop, substitute, type TensorSpec } from "../lowering/index.js";
import { type Graph, LOSS } from "./graphs.js";
import { PROMPT_TOKENS, RESPONSE_TOKENS } from "./grid.js";
import { OPTIMIZER_FEEDS } from "./optimizer.js";

/** Symbols: updates of a run, and the flat sizes of the largest of them. */
const UPDATES = "updates";
const MOST = { [PROMPT_TOKENS]: "mostPromptTokens", [RESPONSE_TOKENS]: "mostResponseTokens" } as const;
type FlatSize = keyof typeof MOST;
const FLAT = Object.keys(MOST) as FlatSize[];

const isFlat = (dim: Dim | undefined): dim is FlatSize => FLAT.includes(dim as FlatSize);
const lengthsName = (size: FlatSize): string => `${size} of each update`;
const COUNT = "number of updates";
const LONGEST = "response tokens of the longest update";

/** 1 / (1 − βᵗ) of the coming optimizer steps: taken by the number of updates that were not skipped. */
const CORRECTIONS: readonly string[] = [OPTIMIZER_FEEDS.correction1, OPTIMIZER_FEEDS.correction2];

/** x [most] up to its length: what is behind was only there to stack updates of different sizes. */
function cut(x: Expr, size: FlatSize, index: Expr): Expr {
  const zero = constant([0], undefined, "int");
  const end = input(lengthsName(size), [UPDATES], "int").gather(index).reshape([1]);
  return external("Slice", [x, zero, end, zero], [{ shape: [size, ...x.shape.slice(1)], dtype: x.dtype }])[0]!;
}

/** x [responseTokens] with zeros up to the longest update's. */
function padded(x: Expr, index: Expr): Expr {
  const length = input(lengthsName(RESPONSE_TOKENS), [UPDATES], "int").gather(index).reshape([1]);
  const missing = input(LONGEST, [], "int").reshape([1]).sub(length);
  const shape = [MOST[RESPONSE_TOKENS], ...x.shape.slice(1)];
  return external("Pad", [x, concat([constant([0], undefined, "int"), missing], 0)], [{ shape, dtype: x.dtype }])[0]!;
}

/**
 * Several updates, one after the other, in one run: a `Loop` that carries the training state. What `single` is fed, but for
 * the `frozen` parameters, is fed for all updates, stacked. Results are stacked too. The same numbers as from single runs,
 * for a device on which the state does not stay between runs; the loop holds the state twice.
 */
export function severalGraph(single: Graph, frozen: ReadonlySet<string>): Graph {
  const names = [...single.state.keys()];
  const outputs = [...single.state.values(), ...Object.values(single.results)];
  const inputs = topologicalOrder(outputs).filter((x): x is Expr<"input"> => x.is("input"));
  const before = Object.fromEntries(names.map((name) => [name, inputs.find((x) => x.attributes.name === name)!]));

  const fed = (x: Expr<"input">, index: Expr): Expr => {
    const [first] = x.shape;
    const stacked = input(x.attributes.name, [UPDATES, ...x.shape.map((dim) => (isFlat(dim) ? MOST[dim] : dim))], x.dtype);
    const own = stacked.gather(index, 0);
    return isFlat(first) ? cut(own, first, index) : own;
  };
  const { carried, scans } = loop<string, string>({
    maxIterations: input(COUNT, [], "int"),
    carried: { ...before, done: constant(0, [], "int") },
    length: UPDATES,
    sizes: FLAT,
    body: ({ iteration, carried: now }) => {
      const values = new Map<Expr, Expr>();
      for (const x of inputs) {
        const { name } = x.attributes;
        if (frozen.has(name)) continue;
        values.set(x, now[name] ?? fed(x, CORRECTIONS.includes(name) ? now.done! : iteration));
      }
      const after = substitute(outputs, values);
      const results = Object.fromEntries(Object.keys(single.results).map((name, i) => [name, after[names.length + i]!]));
      const done = results[LOSS]!.isFinite().and(results.gradNorm!.isFinite()).cast("int");
      return {
        carried: { ...Object.fromEntries(names.map((name, i) => [name, after[i]!])), done: now.done!.add(done) },
        scans: Object.fromEntries(Object.entries(results).map(([name, x]) => [name, isFlat(x.shape[0]) ? padded(x, iteration) : x])),
      };
    },
  });
  return { state: new Map(names.map((name) => [name, carried[name]!])), results: scans };
}

/** One update's feeds and flat sizes. */
export interface UpdateFeeds {
  values: Readonly<Record<string, FeedValue>>;
  sizes: Readonly<Record<FlatSize, number>>;
}

/**
 * The feeds that `inputs` of a `severalGraph` ask for, and the values of its sizes; undefined when the updates differ in more
 * than their flat sizes.
 */
export function stackFeeds(
  inputs: readonly TensorSpec[],
  updates: readonly UpdateFeeds[],
): { values: Record<string, FeedValue>; sizes: Record<string, number> } | undefined {
  const count = updates.length;
  const largest = (size: FlatSize) => Math.max(...updates.map(({ sizes }) => sizes[size]));
  const sizes = { [UPDATES]: count, ...Object.fromEntries(FLAT.map((size) => [MOST[size], largest(size)])) };
  const bindings = new Map(Object.entries(sizes));
  const values: Record<string, FeedValue> = {
    [COUNT]: { shape: [], data: Int32Array.of(count) },
    [LONGEST]: { shape: [], data: Int32Array.of(largest(RESPONSE_TOKENS)) },
  };
  for (const size of FLAT) values[lengthsName(size)] = { shape: [count], data: Int32Array.from(updates, (update) => update.sizes[size]) };
  for (const { name, shape } of inputs) {
    if (shape[0] !== UPDATES || values[name] !== undefined) continue;
    const whole = shape.map((dim) => evaluateDim(dim, bindings));
    const width = elementCount(whole) / count;
    const isRagged = shape.slice(1).some((dim) => typeof dim === "string");
    const data = new Float64Array(count * width);
    for (const [k, update] of updates.entries()) {
      const own = update.values[name];
      if (own === undefined || own.data.length > width || (!isRagged && own.data.length !== width)) return undefined;
      data.set(own.data, k * width);
    }
    values[name] = { shape: whole, data };
  }
  return { values, sizes };
}
