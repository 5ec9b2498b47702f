import { bindDims, type Expr, type TensorValue, topologicalOrder, type Feeds as Values } from "@proximal/core";
import { Tensor } from "onnxruntime-node";
import type { ElementType } from "../lowering/graph.js";
import { lower } from "../lowering/lower.js";
import { Session } from "./session.js";

/** A tensor as the runtime takes it. */
export function toRuntime({ shape, data }: TensorValue, type: ElementType): Tensor {
  if (type === "int64") return new Tensor("int64", BigInt64Array.from(data, BigInt), shape);
  if (type === "bool") return new Tensor("bool", Uint8Array.from(data), shape);
  return type === "float32" ? new Tensor("float32", Float32Array.from(data), shape) : new Tensor("float64", Float64Array.from(data), shape);
}

export const numbers = (tensor: Tensor): number[] => Array.from(tensor.data as unknown as ArrayLike<number | bigint>, Number);

/**
 * Values of expressions as the runtime computes them on the CPU in float32, flat: lowered for the sizes of what is fed, run once
 * by one thread, and released.
 */
export async function evaluateOnRuntime(exprs: Readonly<Record<string, Expr>>, feeds: Values): Promise<Record<string, number[]>> {
  const inputs = topologicalOrder(Object.values(exprs)).filter((node): node is Expr<"input"> => node.is("input"));
  const graph = lower({ outputs: exprs, dims: Object.fromEntries(bindDims(inputs, feeds)) });
  const session = await Session.create(graph, { threads: 1, spinning: false });
  try {
    const results = await session.run(Object.fromEntries(graph.inputs.map(({ name, type }) => [name, toRuntime(feeds[name]!, type)])));
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, numbers(tensor)]));
  } finally {
    await session.release();
  }
}
