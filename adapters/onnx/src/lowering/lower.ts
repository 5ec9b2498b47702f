import { type Bindings, bindDim, EngineError, type Expr, type Shape, sameShape, topologicalOrder } from "@proximal/core";
import { absent, plainAttribute, Subgraph } from "./attributes.js";
import { elementTypeOf, type Profile } from "./emit/emission.js";
import { emitNode } from "./emit/emitters.js";
import { type Attribute, type ElementType, encodeTensor, GraphBuilder, type Value } from "./graph.js";
import { ABORT_OUTPUT, encodeModel, type StoredWeight } from "./model.js";
import { rewrite } from "./rewrite.js";
import { compositions, forward, type RuleTable, runtime } from "./rules/index.js";

export interface LowerOptions {
  /** Named results; a name must not be that of an input. */
  outputs: Readonly<Record<string, Expr>>;
  /** Sizes of symbolic dimensions. Those left out stay symbolic in the graph. */
  dims?: Readonly<Record<string, number>>;
  /** Type of `float` expressions. */
  dtype?: "float32" | "float64";
  /** The execution provider that the operators are chosen for. */
  profile?: Profile;
  /** Inputs whose values are fixed now and become constants of the graph (weights for decoding: packed once). */
  fixed?: Readonly<Record<string, ArrayLike<number>>>;
  /** Inputs that become initializers of the same name, as a model that is given away has its weights. */
  weights?: ReadonlyMap<string, StoredWeight>;
  /** No gradient is taken inside: whole layers may become one operator of the runtime. */
  forward?: boolean;
  /** Adds the output that lets `Session.run` skip the copies of preallocated outputs. */
  abortOutput?: boolean;
}

export interface TensorSpec {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

export interface LoweredGraph {
  /** An ONNX file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Nodes in the graph and in its subgraphs. */
  readonly nodes: number;
  readonly abortOutput: boolean;
  /** Type of `float` expressions. */
  readonly dtype: "float32" | "float64";
}

/** Values of the inputs of a graph, by name. */
type Scope = Map<string, Value>;

class Lowering {
  private readonly bindings: Bindings;
  private readonly rules: readonly RuleTable[];
  private readonly float: "float32" | "float64";
  private readonly profile: Profile;
  private readonly fixed: Readonly<Record<string, ArrayLike<number>>>;
  private readonly calls = new Map<object, readonly Value[]>();

  constructor({
    dims = {},
    dtype = "float32",
    profile = "cpu",
    fixed = {},
    forward: whole = false,
  }: Omit<LowerOptions, "outputs" | "weights">) {
    if (dtype === "float64" && profile === "webgpu") {
      throw new EngineError("WebGPU has no float64", { given: dtype, accepted: "float32" });
    }
    this.bindings = new Map(Object.entries(dims));
    this.float = dtype;
    this.profile = profile;
    this.fixed = fixed;
    const targets = [dtype === "float64" ? compositions.float64 : {}, profile === "webgpu" ? compositions.webgpu : {}];
    this.rules = [compositions.always, ...targets, runtime, ...(whole ? [forward] : [])];
  }

  /** Emits what `roots` need and returns their values. `scope` holds the values of the inputs; those of the outermost graph are added. */
  emit(graph: GraphBuilder, roots: readonly Expr[], scope: Scope): Value[] {
    const rewritten = rewrite(roots, this.bindings, this.rules);
    const order = topologicalOrder(rewritten);
    const values = new Map<Expr, Value>();
    // Inputs first, in a subgraph then what gives a size of its own: symbolic sizes are read from them.
    for (const node of order) if (node.is("input")) values.set(node, this.input(graph, node, scope));
    const sources = graph.parent ? order.filter((node) => node.is("external") && node.shape.some((dim) => !graph.knows(dim))) : [];
    for (const node of topologicalOrder(sources)) if (!values.has(node)) values.set(node, this.emitOne(graph, node, values));
    for (const node of order) if (!values.has(node)) values.set(node, this.emitOne(graph, node, values));
    return rewritten.map((root) => values.get(root)!);
  }

  private emitOne(graph: GraphBuilder, node: Expr, values: ReadonlyMap<Expr, Value>): Value {
    const inputs = node.inputs.map((x) => values.get(x)!);
    if (node.is("external")) return this.external(graph, node, inputs);
    return emitNode({ graph, node, inputs, profile: this.profile, float: this.float });
  }

  private input(graph: GraphBuilder, node: Expr<"input">, scope: Scope): Value {
    const { name } = node.attributes;
    const type = elementTypeOf(node, this.float);
    if (name === absent.attributes.name) return { name, type, shape: node.shape };
    const known = scope.get(name);
    if (known) {
      if (known.type !== type || !sameShape(known.shape, node.shape)) {
        const given = [known, { type, shape: node.shape }].map((value) => `${value.type} [${value.shape.join(", ")}]`);
        throw new EngineError(`two inputs are called ${name}`, { given: given.join(" and ") });
      }
      return known;
    }
    if (graph.parent) throw new EngineError(`the value ${name} is used in a loop in which it does not exist`, { given: name });
    const data = this.fixed[name];
    const value = data ? graph.initializer(encodeTensor(type, node.shape as number[], data)) : graph.addInput(name, type, node.shape);
    scope.set(name, value);
    return value;
  }

  private external(graph: GraphBuilder, node: Expr<"external">, inputs: readonly Value[]): Value {
    const { operator, domain, output, call, outputs } = node.attributes;
    const type = elementTypeOf(node, this.float);
    const done = this.calls.get(call);
    if (done) {
      const value = { ...done[output]!, type, shape: node.shape };
      graph.remember(value);
      return value;
    }
    const attributes: Record<string, Attribute> = {};
    let own = inputs;
    for (const [name, value] of Object.entries(node.attributes.attributes).reverse()) {
      if (value instanceof Subgraph) {
        const from = own.length - value.captured.length;
        attributes[name] = this.subgraph(graph, value, own.slice(from));
        own = own.slice(0, from);
      } else attributes[name] = plainAttribute(operator, name, value);
    }
    const specs = Array.from({ length: outputs }, (_, i) => ({ type, shape: i === output ? node.shape : [] }));
    const results = graph.node(operator, own, specs, { domain, attributes, unique: true });
    this.calls.set(call, results);
    return results[output]!;
  }

  private subgraph(graph: GraphBuilder, body: Subgraph, captured: readonly Value[]): GraphBuilder {
    const inner = new GraphBuilder(graph);
    const scope: Scope = new Map(body.captured.map((x, i) => [x.attributes.name, captured[i]!]));
    for (const x of body.inputs) {
      const shape = x.shape.map((dim) => bindDim(dim, this.bindings));
      scope.set(x.attributes.name, inner.addInput(graph.freshName(), elementTypeOf(x, this.float), shape));
    }
    for (const value of this.emit(inner, body.outputs, scope)) inner.addOutput(value);
    return inner;
  }
}

/**
 * Lowers expressions to one ONNX graph (opset 21). Integers are int64. Equal expressions are computed once, except
 * behind a `guard`. An `EngineError` names what has no lowering.
 *
 * Where the runtime's kernels differ from the reference evaluator: reduceMax, argmax and topK pass over NaN instead of
 * counting it as the largest; the float32 sigmoid is exact to 6e-8, not relatively, below −15; a NaN among the updates of
 * a scatterAdd into an axis of at most 128 reaches all of that axis.
 */
export function lower({ outputs, abortOutput = false, weights = new Map(), ...options }: LowerOptions): LoweredGraph {
  const graph = new GraphBuilder();
  const values = new Lowering(options).emit(graph, Object.values(outputs), new Map());
  const names = new Set(graph.inputs.map((value) => value.name));
  Object.keys(outputs).forEach((name, i) => {
    if (names.has(name) || name === ABORT_OUTPUT) throw new EngineError(`the output ${name} has the name of an input`, { given: name });
    graph.addOutput(values[i]!, name);
  });
  const bytes = encodeModel(graph, { abortOutput, weights });
  const inputs = graph.inputs.filter(({ name }) => !weights.has(name));
  return { bytes, inputs, outputs: graph.outputs, nodes: graph.size, abortOutput, dtype: options.dtype ?? "float32" };
}
