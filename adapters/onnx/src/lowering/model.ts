import { create, toBinary } from "@bufbuild/protobuf";
import type { Dim } from "@proximal/core";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_SequenceSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { type Attribute, type ElementType, GraphBuilder, type TensorData, type Value } from "./graph.js";

/** Random*Like and Multinomial have no kernels from opset 22 on; nothing here needs a later one. */
const OPSET = 21n;
const IR_VERSION = 10n;

const elementCode: Record<ElementType, TensorProto_DataType> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

const utf8 = (text: string) => new TextEncoder().encode(text);

function tensorType({ type, shape }: Omit<Value, "name">): TypeProto {
  const dim = (size: Dim) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === "number" ? { case: "dimValue", value: BigInt(size) } : { case: "dimParam", value: size },
    });
  const value = create(TypeProto_TensorSchema, {
    elemType: elementCode[type],
    shape: create(TensorShapeProtoSchema, { dim: shape.map(dim) }),
  });
  return create(TypeProtoSchema, { value: { case: "tensorType", value } });
}

const valueInfo = (value: Value): ValueInfoProto => create(ValueInfoProtoSchema, { name: value.name, type: tensorType(value) });

function tensor({ type, shape, raw }: TensorData, name = ""): TensorProto {
  return create(TensorProtoSchema, { name, dataType: elementCode[type], dims: shape.map(BigInt), rawData: raw });
}

function attribute(name: string, value: Attribute): AttributeProto {
  const make = (type: keyof typeof AttributeProto_AttributeType, fields: object) =>
    create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType[type], ...fields });
  if (typeof value === "number") return Number.isInteger(value) ? make("INT", { i: BigInt(value) }) : make("FLOAT", { f: value });
  if (typeof value === "string") return make("STRING", { s: utf8(value) });
  if (value instanceof GraphBuilder) return make("GRAPH", { g: graph(value) });
  if ("float" in value) return make("FLOAT", { f: value.float });
  if ("floats" in value) return make("FLOATS", { floats: [...value.floats] });
  if ("tensor" in value) return make("TENSOR", { t: tensor(value.tensor) });
  if (value.every((x) => typeof x === "string")) return make("STRINGS", { strings: value.map((x) => utf8(x)) });
  const list = value as readonly number[];
  return list.every(Number.isInteger) ? make("INTS", { ints: list.map(BigInt) }) : make("FLOATS", { floats: [...list] });
}

/** Values of a weight: in the model, or at a place of a file beside it. */
export type StoredWeight = { raw: Uint8Array<ArrayBuffer> } | { file: string; offset: number; length: number };

function storedWeight({ name, type, shape }: Value, weight: StoredWeight): TensorProto {
  const proto = { name, dataType: elementCode[type], dims: (shape as number[]).map(BigInt) };
  if ("raw" in weight) return create(TensorProtoSchema, { ...proto, rawData: weight.raw });
  const { file, offset, length } = weight;
  const externalData = Object.entries({ location: file, offset, length }).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value: String(value) }),
  );
  return create(TensorProtoSchema, { ...proto, dataLocation: TensorProto_DataLocation.EXTERNAL, externalData });
}

function graph(builder: GraphBuilder, weights: ReadonlyMap<string, StoredWeight> = new Map()): GraphProto {
  const written = (name: string) => builder.written(name);
  const stored = builder.inputs.flatMap((value) => {
    const weight = weights.get(value.name);
    return weight === undefined ? [] : [storedWeight(value, weight)];
  });
  return create(GraphProtoSchema, {
    name: "graph",
    input: builder.inputs.filter(({ name }) => !weights.has(name)).map(valueInfo),
    output: builder.outputs.map(valueInfo),
    initializer: [...stored, ...[...builder.initializers.values()].map(({ value, data }) => tensor(data, value.name))],
    node: builder.nodes.map(({ operator, domain, inputs, outputs, attributes }) =>
      create(NodeProtoSchema, {
        opType: operator,
        domain,
        input: inputs.map(written),
        output: outputs.map(written),
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    ),
  });
}

/** Name of the output that makes the runtime's binding stop before it copies the others (`Session.run`). */
export const ABORT_OUTPUT = "%abort";

/** The graph as an ONNX file. */
export function encodeModel(
  builder: GraphBuilder,
  { abortOutput = false, weights }: { abortOutput?: boolean; weights?: ReadonlyMap<string, StoredWeight> } = {},
): Uint8Array<ArrayBuffer> {
  const element = abortOutput ? builder.scalar("bool", 0) : undefined;
  const proto = graph(builder, weights);
  if (element) {
    // First in the outputs: a sequence, which the binding cannot hand to JavaScript.
    proto.node.push(create(NodeProtoSchema, { opType: "SequenceConstruct", input: [element.name], output: [ABORT_OUTPUT] }));
    const sequence = create(TypeProto_SequenceSchema, { elemType: tensorType(element) });
    const type = create(TypeProtoSchema, { value: { case: "sequenceType", value: sequence } });
    proto.output.unshift(create(ValueInfoProtoSchema, { name: ABORT_OUTPUT, type }));
  }
  const domains = [
    ["", OPSET],
    ["com.microsoft", 1n],
  ] as const;
  const opsetImport = domains.map(([domain, version]) => create(OperatorSetIdProtoSchema, { domain, version }));
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: IR_VERSION, producerName: "proximal", graph: proto, opsetImport }),
  );
}
