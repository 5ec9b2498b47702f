import { type Shape, sizeOf } from "@proximal/core";
import { type GraphBuilder, UNKNOWN, type Value } from "../graph.js";
import { castTo, type Emission, opaqueZero, reshaped } from "./emission.js";

/** Up to this size a product with a one-hot matrix is faster than a scatter. */
export const ONE_HOT_LIMIT = 128;

export const emitGather = ({ graph, node, inputs }: Emission<"gather">): Value =>
  graph.apply("Gather", inputs, inputs[0]!.type, node.shape, { attributes: { axis: node.attributes.axis } });

export const emitGatherElements = ({ graph, node, inputs }: Emission<"gatherElements">): Value =>
  graph.apply("GatherElements", inputs, inputs[0]!.type, node.shape, { attributes: { axis: node.attributes.axis } });

export function emitTopK({ graph, node, inputs }: Emission<"topKValues"> | Emission<"topKIndices">): { values: Value; indices: Value } {
  const { shape } = node;
  const [values, indices] = graph.node(
    "TopK",
    [inputs[0]!, graph.ints([node.attributes.k])],
    [
      { type: inputs[0]!.type, shape },
      { type: "int64", shape },
    ],
  );
  return { values: values!, indices: indices! };
}

const iota = (graph: GraphBuilder, size: number): Value =>
  graph.constant(
    "int64",
    [size],
    Array.from({ length: size }, (_, i) => i),
  );

/**
 * Zeros made when the graph runs: known ones would be kept as a constant of full size, and copied before the scatter
 * instead of being written into.
 */
function zeros(graph: GraphBuilder, type: Value["type"], shape: Shape, indices: Value): Value {
  const known = sizeOf(indices.shape) ?? 0;
  const zero = known > 0 ? opaqueZero(graph, indices, type) : graph.scalar(type, 0);
  return graph.apply("Expand", [zero, graph.shapeVector(shape)], type, shape);
}

/** Always ScatterElements: ScatterND with reduction=add loses updates on the CPU when it has more than one thread. */
function scatterElements(graph: GraphBuilder, indices: Value, updates: Value, axis: number, size: Shape[number]): Value {
  const shape = updates.shape.map((dim, i) => (i === axis ? size : dim));
  const attributes = { axis, reduction: "add" };
  return graph.apply("ScatterElements", [zeros(graph, updates.type, shape, indices), indices, updates], updates.type, shape, {
    attributes,
  });
}

export function emitScatterElementsAdd({ graph, node, inputs }: Emission<"scatterElementsAdd">): Value {
  const { axis, size } = node.attributes;
  const [indices, updates] = inputs as [Value, Value];
  if (typeof size === "number" && size <= ONE_HOT_LIMIT && updates.shape[axis] === 1) {
    const positions = reshaped(
      graph,
      iota(graph, size),
      updates.shape.slice(axis).map((_, i) => (i === 0 ? size : 1)),
    );
    const hit = graph.apply("Equal", [indices, positions], "bool", node.shape);
    return graph.apply("Where", [hit, updates, graph.scalar(updates.type, 0)], updates.type, node.shape);
  }
  return scatterElements(graph, indices, updates, axis, size);
}

/** With updates seen as [..., N, Q], the N indices over the middle axis: one-hot [size, N] · updates, or ScatterElements. */
export function emitScatterAdd({ graph, node, inputs }: Emission<"scatterAdd">): Value {
  const { axis, size, indexRank } = node.attributes;
  const [indices, updates] = inputs as [Value, Value];
  const lead = updates.shape.slice(0, axis);
  const tail = updates.shape.slice(axis + indexRank);
  const width = tail.length === 1 ? tail[0]! : sizeOf(tail);
  const count = indexRank === 1 ? indices.shape[0]! : (sizeOf(indices.shape) ?? UNKNOWN);
  const flat = reshaped(graph, indices, [count]);
  if (typeof size === "number" && size <= ONE_HOT_LIMIT && width !== undefined) {
    const hit = graph.apply("Equal", [reshaped(graph, iota(graph, size), [size, 1]), flat], "bool", [size, count]);
    const oneHot = graph.apply("Cast", [hit], updates.type, [size, count], { attributes: castTo(updates.type) });
    const rows = reshaped(graph, updates, [...lead, count, width]);
    return reshaped(graph, graph.apply("MatMul", [oneHot, rows], updates.type, [...lead, size, width]), node.shape);
  }
  const rows = reshaped(graph, updates, [...lead, count, ...tail]);
  const column = reshaped(graph, flat, [count, ...tail.map(() => 1)]);
  const spread = graph.apply("Expand", [column, graph.apply("Shape", [rows], "int64", [rows.shape.length])], "int64", rows.shape);
  return scatterElements(graph, spread, rows, axis, size);
}
