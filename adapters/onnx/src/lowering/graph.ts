import { createHash } from "node:crypto";
import { type Dim, EngineError, linearDim, type Shape, symbolsOf } from "@proximal/core";

/** Element types of the tensors in a graph. */
export type ElementType = "float32" | "float64" | "int32" | "int64" | "bool";

/** A tensor of the graph: its name in the file, its type, and its shape as far as it is known. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

/** A size that only the runtime knows. */
export const UNKNOWN = "%unknown";

export interface TensorData {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Row-major, little-endian. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** Attributes as ONNX knows them. A plain number is an integer if it is one; `{ float: 1 }` makes it a float. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorData }
  | GraphBuilder;

export interface GraphNode {
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface NodeOptions {
  domain?: string;
  attributes?: Readonly<Record<string, Attribute>>;
  /** Never merged with an equal node. */
  unique?: boolean;
}

/** Numbers as the file holds them; a typed array of the right type is not copied. */
export function encodeTensor(type: ElementType, shape: readonly number[], data: ArrayLike<number>): TensorData {
  const array =
    type === "float32"
      ? data instanceof Float32Array
        ? data
        : Float32Array.from(data)
      : type === "float64"
        ? data instanceof Float64Array
          ? data
          : Float64Array.from(data)
        : type === "int64"
          ? BigInt64Array.from({ length: data.length }, (_, i) => BigInt(data[i]!))
          : type === "int32"
            ? Int32Array.from(data)
            : Uint8Array.from(data);
  return { type, shape, raw: new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength) };
}

/**
 * Collects the nodes of one graph (or, as a child, of a subgraph that sees its parent's values).
 * Equal nodes are emitted once; constants are kept in the outermost graph, equal ones once.
 */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  readonly initializers = new Map<string, { value: Value; data: TensorData }>();
  private readonly merged = new Map<string, readonly Value[]>();
  private readonly dimensions = new Map<string, { value: Value; axis: number }>();
  private readonly produced = new Set<string>();
  private readonly aliases = new Map<string, string>();
  private counter = 0;

  constructor(readonly parent?: GraphBuilder) {}

  private get root(): GraphBuilder {
    return this.parent?.root ?? this;
  }

  /** Nodes in this graph and in all subgraphs. */
  get size(): number {
    return this.nodes.reduce(
      (total, node) => total + 1 + Object.values(node.attributes).reduce<number>((n, a) => n + (a instanceof GraphBuilder ? a.size : 0), 0),
      0,
    );
  }

  freshName(): string {
    return `%${this.root.counter++}`;
  }

  addInput(name: string, type: ElementType, shape: Shape): Value {
    const value = { name, type, shape };
    this.inputs.push(value);
    this.remember(value);
    return value;
  }

  /** Notes where a symbolic size can be read. */
  remember(value: Value): void {
    value.shape.forEach((dim, axis) => {
      if (typeof dim === "string" && dim !== UNKNOWN && !this.dimensions.has(dim)) this.dimensions.set(dim, { value, axis });
    });
  }

  node(operator: string, inputs: readonly Value[], outputs: readonly Omit<Value, "name">[], options: NodeOptions = {}): Value[] {
    const { domain = "", attributes = {}, unique = false } = options;
    const names = inputs.map((value) => value.name);
    while (names.at(-1) === "") names.pop();
    const key = unique ? undefined : JSON.stringify([operator, domain, names, attributes, outputs.length]);
    if (key !== undefined) {
      const known = this.find(key);
      if (known) return [...known];
    }
    const values = outputs.map(({ type, shape }) => ({ name: this.freshName(), type, shape }));
    this.nodes.push({ operator, domain, inputs: names, outputs: values.map((v) => v.name), attributes });
    if (key !== undefined) this.merged.set(key, values);
    for (const value of values) {
      this.produced.add(value.name);
      this.remember(value);
    }
    return values;
  }

  /** A node with a single output. */
  apply(operator: string, inputs: readonly Value[], type: ElementType, shape: Shape, options: NodeOptions = {}): Value {
    return this.node(operator, inputs, [{ type, shape }], options)[0]!;
  }

  private find(key: string): readonly Value[] | undefined {
    return this.merged.get(key) ?? this.parent?.find(key);
  }

  constant(type: ElementType, shape: readonly number[], data: ArrayLike<number>): Value {
    return this.initializer(encodeTensor(type, shape, data));
  }

  initializer(data: TensorData): Value {
    const { type, shape, raw } = data;
    const content = raw.length <= 64 ? Buffer.from(raw).toString("latin1") : createHash("sha256").update(raw).digest("base64");
    const key = `${type}|${shape.join()}|${content}`;
    const known = this.root.initializers.get(key);
    if (known) return known.value;
    const value = { name: this.freshName(), type, shape };
    this.root.initializers.set(key, { value, data });
    return value;
  }

  scalar(type: ElementType, value: number): Value {
    return this.constant(type, [], [value]);
  }

  /** An int64 vector, as shapes and axes are given. */
  ints(list: readonly number[]): Value {
    return this.constant("int64", [list.length], list);
  }

  /** The size of a symbol or of a sum of symbols, int64 [1], read from a tensor that has it. */
  dimension(dim: Dim): Value {
    if (typeof dim === "number") return this.ints([dim]);
    const direct = this.source(dim);
    if (direct) {
      const attributes = { start: direct.axis, end: direct.axis + 1 };
      return this.apply("Shape", [direct.value], "int64", [1], { attributes });
    }
    const { constant, terms } = linearDim(dim);
    if (terms.size === 1 && terms.has(dim)) {
      throw new EngineError(`the size ${dim} is neither bound nor the size of an input`, { hint: `give dims: { ${dim}: … }` });
    }
    let total = this.ints([constant]);
    for (const [symbol, factor] of terms) {
      const part = this.apply("Mul", [this.dimension(symbol), this.ints([factor])], "int64", [1]);
      total = this.apply("Add", [total, part], "int64", [1]);
    }
    return total;
  }

  /** Whether `dimension` can be read. */
  knows(dim: Dim): boolean {
    return typeof dim === "number" || symbolsOf(dim).every((symbol) => this.source(symbol) !== undefined);
  }

  private source(dim: string): { value: Value; axis: number } | undefined {
    return this.dimensions.get(dim) ?? this.parent?.source(dim);
  }

  /** A shape as an int64 vector. */
  shapeVector(shape: Shape): Value {
    if (shape.every((dim) => typeof dim === "number")) return this.ints(shape as readonly number[]);
    const parts = shape.map((dim) => this.dimension(dim));
    return this.apply("Concat", parts, "int64", [shape.length], { attributes: { axis: 0 } });
  }

  /** The name under which a value is written: outputs carry the names that the caller gave. */
  written(name: string): string {
    return this.root.aliases.get(name) ?? name;
  }

  /** Makes a value an output. An input, a value of an outer graph and one that is an output already are copied. */
  addOutput(value: Value, name = this.freshName()): void {
    const own = this.produced.has(value.name) && !this.root.aliases.has(value.name);
    const source = own ? value : this.apply("Identity", [value], value.type, value.shape, { unique: true });
    this.root.aliases.set(source.name, name);
    this.outputs.push({ ...source, name });
  }
}
