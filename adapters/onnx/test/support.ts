import { fromBinary } from "@bufbuild/protobuf";
import { bindDims, type Expr, evaluate, type Feeds, type TensorValue, topologicalOrder } from "@proximal/core";
import { type GraphProto, ModelProtoSchema } from "onnx-buf";
import type { Tensor } from "onnxruntime-node";
import { type LoweredGraph, type LowerOptions, lower, Session, type SessionOptions } from "../src/index.js";
import { numbers, toRuntime } from "../src/session/evaluate.js";

export { numbers } from "../src/session/evaluate.js";

export async function runGraph(graph: LoweredGraph, feeds: Feeds, options: SessionOptions = {}): Promise<Record<string, Tensor>> {
  const session = await Session.create(graph, { threads: 1, ...options });
  try {
    return await session.run(Object.fromEntries(graph.inputs.map(({ name, type }) => [name, toRuntime(feeds[name]!, type)])));
  } finally {
    await session.release();
  }
}

/** Operators in file order: of the graph itself and of each subgraph in it. */
export function operatorsOf({ bytes }: { bytes: Uint8Array }): { outer: string[]; bodies: string[][]; all: string[] } {
  const bodies: string[][] = [];
  const walk = (graph: GraphProto): string[] =>
    graph.node.map((node) => {
      for (const { g } of node.attribute) if (g) bodies.push(walk(g));
      return node.opType;
    });
  const outer = walk(fromBinary(ModelProtoSchema, bytes).graph!);
  return { outer, bodies, all: [...outer, ...bodies.flat()] };
}

/** ‖a − b‖₂ / ‖b‖₂ over the finite elements; ∞ where NaN or infinity differ. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (Number.isFinite(y)) {
      difference += (x - y) ** 2;
      norm += y ** 2;
    } else if (!Object.is(x, y)) return Number.POSITIVE_INFINITY;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / Math.max(norm, 1e-300));
}

/** With PROXIMAL_TEST_WEBGPU=1 the graphs for WebGPU run there instead of on the CPU. */
export const GPU = process.env.PROXIMAL_TEST_WEBGPU === "1";

/** Lowers and runs the expressions, and returns the largest relative error against the reference evaluator. */
export async function compare(
  exprs: Readonly<Record<string, Expr>>,
  feeds: Feeds,
  options: Omit<LowerOptions, "outputs"> & { symbolic?: boolean } = {},
): Promise<{ error: number; graph: LoweredGraph }> {
  const { symbolic = false, ...lowering } = options;
  const list = Object.values(exprs);
  const inputs = topologicalOrder(list).filter((node): node is Expr<"input"> => node.is("input"));
  const dims = symbolic ? {} : Object.fromEntries(bindDims(inputs, feeds));
  const graph = lower({ outputs: exprs, dims, ...lowering });
  // What is fed in float32 is rounded first, so that only the graph's own error counts.
  const rounded =
    lowering.dtype === "float64" ? feeds : Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, round(value)]));
  const expected = evaluate(list, rounded);
  const results = await runGraph(graph, feeds, { provider: lowering.profile === "webgpu" && GPU ? "webgpu" : "cpu" });
  const errors = Object.keys(exprs).map((name, i) => {
    const result = results[name]!;
    if (result.dims.join() !== expected[i]!.shape.join()) return Number.POSITIVE_INFINITY;
    return relativeError(numbers(result), expected[i]!.data);
  });
  return { error: Math.max(...errors), graph };
}

const round = ({ shape, data }: TensorValue): TensorValue => ({
  shape,
  data: data instanceof Float64Array ? Float64Array.from(data, Math.fround) : data,
});
