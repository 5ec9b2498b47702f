import { EngineError, type Op, sizeOf } from "@proximal/core";
import type { Value } from "../graph.js";
import { numberOf } from "../rules/index.js";
import { castTo, type Emission, type Emit, elementTypeOf, opaqueZero, reshaped } from "./emission.js";
import { emitGather, emitGatherElements, emitScatterAdd, emitScatterElementsAdd, emitTopK } from "./indexing.js";

/** Elements up to which a repeated number is written out. */
const SMALL = 256;

const plain =
  (operator: string): Emit<Op> =>
  ({ graph, node, inputs, float }) =>
    graph.apply(operator, inputs, elementTypeOf(node, float), node.shape);

const matmul: Emit<"matmul"> = ({ graph, node, inputs, profile }) => {
  const { transposeA, transposeB } = node.attributes;
  const type = inputs[0]!.type;
  if (!transposeA && !transposeB) return graph.apply("MatMul", inputs, type, node.shape);
  if (profile !== "webgpu") {
    const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
    return graph.apply("FusedMatMul", inputs, type, node.shape, { domain: "com.microsoft", attributes });
  }
  const swap = (x: Value) => {
    const permutation = x.shape.map((_, i) => (i < x.shape.length - 2 ? i : 2 * x.shape.length - 3 - i));
    const shape = permutation.map((axis) => x.shape[axis]!);
    return graph.apply("Transpose", [x], type, shape, { attributes: { perm: permutation } });
  };
  return graph.apply("MatMul", [transposeA ? swap(inputs[0]!) : inputs[0]!, transposeB ? swap(inputs[1]!) : inputs[1]!], type, node.shape);
};

const reduction = (operator: string): Emit<"sum" | "reduceMax"> => {
  return ({ graph, node, inputs }) => {
    const { axes, keepDims } = node.attributes;
    const x = inputs[0]!;
    return graph.apply(operator, [x, graph.ints(axes)], x.type, node.shape, { attributes: { keepdims: Number(keepDims) } });
  };
};

/**
 * x + a zero that comes from `after`: the optimizer neither merges what follows with equal nodes nor starts it before
 * `after` exists.
 */
const guard: Emit<"guard"> = ({ graph, node, inputs }) => {
  const [x, after] = inputs as [Value, Value];
  if (sizeOf(after.shape) === 0) return x;
  return graph.apply(x.type === "bool" ? "Or" : "Add", [x, opaqueZero(graph, after, x.type)], x.type, node.shape, { unique: true });
};

const emitters: { [O in Op]?: Emit<O> } = {
  constant: ({ graph, node, float }) => {
    const { data } = node.attributes;
    return graph.constant(elementTypeOf(node, float), node.shape as number[], data);
  },
  iota: ({ graph, node }) => {
    const { size } = node.attributes;
    if (typeof size === "number")
      return graph.constant(
        "int64",
        [size],
        Array.from({ length: size }, (_, i) => i),
      );
    const end = reshaped(graph, graph.dimension(size), []);
    return graph.apply("Range", [graph.scalar("int64", 0), end, graph.scalar("int64", 1)], "int64", [size]);
  },
  neg: plain("Neg"),
  abs: plain("Abs"),
  sign: plain("Sign"),
  exp: plain("Exp"),
  log: plain("Log"),
  tanh: plain("Tanh"),
  sigmoid: plain("Sigmoid"),
  sqrt: plain("Sqrt"),
  sin: plain("Sin"),
  cos: plain("Cos"),
  floor: plain("Floor"),
  erf: plain("Erf"),
  add: plain("Add"),
  sub: plain("Sub"),
  mul: plain("Mul"),
  div: plain("Div"),
  pow: plain("Pow"),
  min: plain("Min"),
  max: plain("Max"),
  less: plain("Less"),
  lessEqual: plain("LessOrEqual"),
  equal: plain("Equal"),
  not: plain("Not"),
  and: plain("And"),
  or: plain("Or"),
  where: plain("Where"),
  isFinite: ({ graph, node, inputs }) => {
    const x = inputs[0]!;
    const magnitude = graph.apply("Abs", [x], x.type, x.shape);
    return graph.apply("Less", [magnitude, graph.scalar(x.type, Number.POSITIVE_INFINITY)], "bool", node.shape);
  },
  cast: ({ graph, node, inputs, float }) => {
    const type = elementTypeOf(node, float);
    return graph.apply("Cast", inputs, type, node.shape, { attributes: castTo(type) });
  },
  matmul,
  sum: reduction("ReduceSum"),
  reduceMax: reduction("ReduceMax"),
  argmax: ({ graph, node, inputs }) => {
    const { axis, keepDims } = node.attributes;
    return graph.apply("ArgMax", inputs, "int64", node.shape, { attributes: { axis, keepdims: Number(keepDims) } });
  },
  cumsum: ({ graph, node, inputs }) => {
    const { axis, exclusive, reverse } = node.attributes;
    const attributes = { exclusive: Number(exclusive), reverse: Number(reverse) };
    return graph.apply("CumSum", [inputs[0]!, graph.scalar("int64", axis)], inputs[0]!.type, node.shape, { attributes });
  },
  reshape: ({ graph, node, inputs }) => reshaped(graph, inputs[0]!, node.shape),
  transpose: ({ graph, node, inputs }) =>
    graph.apply("Transpose", inputs, inputs[0]!.type, node.shape, { attributes: { perm: node.attributes.permutation } }),
  slice: ({ graph, node, inputs }) => {
    const { starts, ends } = node.attributes;
    const cut = starts.flatMap((start, i) => (start === 0 && (ends[i] === null || ends[i] === inputs[0]!.shape[i]) ? [] : [i]));
    const from = graph.shapeVector(cut.map((i) => starts[i]!));
    const to = graph.shapeVector(cut.map((i) => ends[i] ?? Number.MAX_SAFE_INTEGER));
    return graph.apply("Slice", [inputs[0]!, from, to, graph.ints(cut)], inputs[0]!.type, node.shape);
  },
  pad: ({ graph, node, inputs }) => {
    const { before, after } = node.attributes;
    return graph.apply("Pad", [inputs[0]!, graph.shapeVector([...before, ...after])], inputs[0]!.type, node.shape);
  },
  concat: ({ graph, node, inputs }) =>
    graph.apply("Concat", inputs, inputs[0]!.type, node.shape, { attributes: { axis: node.attributes.axis } }),
  broadcast: ({ graph, node, inputs }) => {
    const { shape } = node;
    const value = numberOf(node);
    const size = sizeOf(shape);
    if (value !== undefined && size !== undefined && size <= SMALL) {
      return graph.constant(inputs[0]!.type, shape as number[], new Float64Array(size).fill(value));
    }
    return graph.apply("Expand", [inputs[0]!, graph.shapeVector(shape)], inputs[0]!.type, shape);
  },
  gather: emitGather,
  scatterAdd: emitScatterAdd,
  gatherElements: emitGatherElements,
  scatterElementsAdd: emitScatterElementsAdd,
  topKValues: (emission) => emitTopK(emission).values,
  topKIndices: (emission) => emitTopK(emission).indices,
  guard,
};

export function emitNode(emission: Emission): Value {
  const emit = emitters[emission.node.op] as Emit<Op> | undefined;
  if (emit === undefined) throw new EngineError(`the primitive ${emission.node.op} cannot be lowered`);
  return emit(emission);
}
