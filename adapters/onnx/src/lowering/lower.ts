import { type Bindings, bindDim, EngineError, type Expr, type Shape, sameShape } from "@proximal/core";
import { absent, plainAttribute, Subgraph } from "./attributes.js";
import { compositions } from "./compose.js";
import { elementTypeOf, type Profile } from "./emission.js";
import { emitNode } from "./emit.js";
import { type Attribute, type ElementType, encodeTensor, GraphBuilder, type Value } from "./graph.js";
import { ABORT_OUTPUT, encodeModel } from "./model.js";
import type { Rule } from "./rule.js";
import { runtimeRules } from "./rules-runtime.js";
import { simplify } from "./simplify.js";

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
}

type Values = Map<Expr, Value>;

/** Operands before their users, without what has a value already. */
function orderOf(roots: readonly Expr[], known: ReadonlyMap<Expr, Value>): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>(known.keys());
  const stack: { node: Expr; next: number }[] = [];
  const enter = (node: Expr) => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const root of roots) {
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.node.inputs[top.next++];
      if (child !== undefined) enter(child);
      else order.push(stack.pop()!.node);
    }
  }
  return order;
}

class Lowering {
  private readonly bindings: Bindings;
  private readonly rules: readonly Rule[];
  private readonly float: "float32" | "float64";
  private readonly profile: Profile;
  private readonly fixed: Readonly<Record<string, ArrayLike<number>>>;
  private readonly inputs = new Map<string, Value>();
  private readonly calls = new Map<object, readonly Value[]>();

  constructor({ dims = {}, dtype = "float32", profile = "cpu", fixed = {} }: Omit<LowerOptions, "outputs">) {
    if (dtype === "float64" && profile === "webgpu") {
      throw new EngineError("WebGPU has no float64", { given: dtype, accepted: "float32" });
    }
    this.bindings = new Map(Object.entries(dims));
    this.float = dtype;
    this.profile = profile;
    this.fixed = fixed;
    this.rules = [
      ...compositions.always,
      ...(dtype === "float64" ? compositions.float64 : []),
      ...(profile === "webgpu" ? compositions.webgpu : []),
      ...runtimeRules,
    ];
  }

  /** Emits what `roots` need into `graph` and returns their values; `known` holds what exists already. */
  emit(graph: GraphBuilder, roots: readonly Expr[], known: Values): Value[] {
    const simplified = simplify(roots, this.bindings, { leaves: new Set(known.keys()), extra: this.rules });
    const values: Values = new Map(known);
    const order = orderOf(simplified, values);
    // Inputs first: symbolic sizes are read from them.
    for (const node of order) if (node.is("input")) values.set(node, this.input(graph, node));
    for (const node of order) if (!values.has(node)) values.set(node, this.emitOne(graph, node, values));
    return simplified.map((root) => values.get(root)!);
  }

  private emitOne(graph: GraphBuilder, node: Expr, values: Values): Value {
    if (node.is("external")) return this.external(graph, node, values);
    const inputs = node.inputs.map((x) => values.get(x)!);
    return emitNode({ graph, node, inputs, profile: this.profile, float: this.float });
  }

  private input(graph: GraphBuilder, node: Expr<"input">): Value {
    const { name } = node.attributes;
    const type = elementTypeOf(node, this.float);
    if (node === absent) return { name, type, shape: node.shape };
    const known = this.inputs.get(name);
    if (known) {
      if (known.type !== type || !sameShape(known.shape, node.shape)) {
        throw new EngineError(`two inputs are called ${name}`, {
          given: [known, { type, shape: node.shape }].map((v) => `${v.type} [${v.shape.join(", ")}]`).join(" and "),
        });
      }
      return known;
    }
    let root = graph;
    while (root.parent) root = root.parent;
    const data = this.fixed[name];
    const value = data ? root.initializer(encodeTensor(type, node.shape as number[], data)) : root.addInput(name, type, node.shape);
    this.inputs.set(name, value);
    return value;
  }

  private external(graph: GraphBuilder, node: Expr<"external">, values: Values): Value {
    const { operator, domain, output, call, outputs } = node.attributes;
    const type = elementTypeOf(node, this.float);
    const done = this.calls.get(call);
    if (done) {
      const value = { ...done[output]!, type, shape: node.shape };
      graph.remember(value);
      return value;
    }
    const attributes: Record<string, Attribute> = {};
    let captured = 0;
    for (const [name, value] of Object.entries(node.attributes.attributes)) {
      if (value instanceof Subgraph) {
        const from = node.inputs.length - value.captures.length - captured;
        captured += value.captures.length;
        attributes[name] = this.subgraph(graph, value, node.inputs.slice(from, from + value.captures.length), values);
      } else attributes[name] = plainAttribute(operator, name, value);
    }
    const own = node.inputs.slice(0, node.inputs.length - captured);
    const inputs = own.map((x) => values.get(x)!);
    const specs = Array.from({ length: outputs }, (_, i) => ({ type, shape: i === output ? node.shape : [] }));
    const results = graph.node(operator, inputs, specs, { domain, attributes, unique: true });
    this.calls.set(call, results);
    return results[output]!;
  }

  /** The body sees its own inputs and the captures, which carry the values of the outer expressions. */
  private subgraph(graph: GraphBuilder, body: Subgraph, captures: readonly Expr[], values: Values): GraphBuilder {
    const inner = new GraphBuilder(graph);
    const known: Values = new Map();
    for (const x of body.inputs) {
      known.set(
        x,
        inner.addInput(
          graph.freshName(),
          elementTypeOf(x, this.float),
          x.shape.map((dim) => bindDim(dim, this.bindings)),
        ),
      );
    }
    body.captures.forEach((x, i) => {
      known.set(x, values.get(captures[i]!)!);
    });
    for (const value of this.emit(inner, body.outputs, known)) inner.addOutput(value);
    return inner;
  }
}

/**
 * Lowers expressions to one ONNX graph (opset 21). Integers are int64. Equal expressions are computed once, except
 * behind a `guard`. An `EngineError` names what has no lowering.
 */
export function lower({ outputs, abortOutput = false, ...options }: LowerOptions): LoweredGraph {
  const graph = new GraphBuilder();
  const values = new Lowering(options).emit(graph, Object.values(outputs), new Map());
  const names = new Set(graph.inputs.map((value) => value.name));
  Object.keys(outputs).forEach((name, i) => {
    if (names.has(name) || name === ABORT_OUTPUT) throw new EngineError(`the output ${name} has the name of an input`, { given: name });
    graph.addOutput(values[i]!, name);
  });
  const bytes = encodeModel(graph, { abortOutput });
  return { bytes, inputs: graph.inputs, outputs: graph.outputs, nodes: graph.size, abortOutput };
}
