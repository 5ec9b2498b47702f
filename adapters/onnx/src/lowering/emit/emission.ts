import { type Expr, type Op, type Shape, sameShape, sizeOf } from "@proximal/core";
import { type ElementType, type GraphBuilder, UNKNOWN, type Value } from "../graph.js";

export type Profile = "cpu" | "cuda" | "webgpu";

/** What the emission of one node needs: the graph, the value of each input, and the types. */
export interface Emission<O extends Op = Op> {
  readonly graph: GraphBuilder;
  readonly node: Expr<O>;
  readonly inputs: readonly Value[];
  readonly profile: Profile;
  readonly float: "float32" | "float64";
}

export type Emit<O extends Op> = (emission: Emission<O>) => Value;

export const elementTypeOf = (x: Expr, float: "float32" | "float64"): ElementType =>
  x.dtype === "float" ? float : x.dtype === "int" ? "int64" : "bool";

/** ONNX numbers of the element types. */
const typeCode: Record<ElementType, number> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 };
export const castTo = (type: ElementType) => ({ to: typeCode[type] });

/** A value under another shape, of which the runtime may infer one size; nothing is copied. */
export function reshaped(graph: GraphBuilder, x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape) && !shape.includes(UNKNOWN)) return x;
  const open = shape.filter((dim) => typeof dim === "string");
  const inferred = open.includes(UNKNOWN) ? UNKNOWN : sizeOf(shape.filter((dim) => typeof dim === "number")) === 0 ? undefined : open[0];
  let used = false;
  const target = shape.map((dim) => {
    if (dim !== inferred || used) return dim;
    used = true;
    return -1;
  });
  return graph.apply("Reshape", [x, graph.shapeVector(target)], x.type, shape, used ? {} : { attributes: { allowzero: 1 } });
}

/** One element of x, as a scalar. */
function firstElement(graph: GraphBuilder, x: Value): Value {
  if (x.shape.length === 0) return x;
  const flat = x.shape.length === 1 ? x : graph.apply("Reshape", [x, graph.ints([-1])], x.type, [UNKNOWN]);
  return graph.apply("Gather", [flat, graph.scalar("int64", 0)], x.type, [], { attributes: { axis: 0 } });
}

/** A scalar 0 (false) that the optimizer cannot know: q < q for an element q of x, which holds for NaN too. x is not empty. */
export function opaqueZero(graph: GraphBuilder, x: Value, type: ElementType): Value {
  const q = firstElement(graph, x);
  const no = graph.apply(q.type === "bool" ? "Xor" : "Less", [q, q], "bool", []);
  return type === "bool" ? no : graph.apply("Cast", [no], type, [], { attributes: castTo(type) });
}
