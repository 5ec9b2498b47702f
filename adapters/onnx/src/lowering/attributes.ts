import { EngineError, Expr, hashExprs, input, topologicalOrder } from "@proximal/core";
import type { Attribute } from "./graph.js";

/** The same expressions with some of their nodes replaced. */
export function substitute(roots: readonly Expr[], replacements: ReadonlyMap<Expr, Expr>): Expr[] {
  const replaced = new Map(replacements);
  for (const node of topologicalOrder(roots)) {
    if (replaced.has(node)) continue;
    const inputs = node.inputs.map((x) => replaced.get(x)!);
    const same = inputs.every((x, i) => x === node.inputs[i]);
    replaced.set(node, same ? node : new Expr(node.op, inputs, node.attributes, node.shape, node.dtype));
  }
  return roots.map((root) => replaced.get(root)!);
}

/**
 * A graph-valued attribute (the body of a `Loop`). It is closed: where it reads an outer expression (`captures`) it has an
 * input of its own, and the operator lists those expressions behind its own inputs, so that they exist before it.
 */
export class Subgraph {
  /** What the body computes, for the hash of an expression that contains it. */
  readonly identity: string;
  readonly #inputs: readonly Expr<"input">[];
  readonly #captured: readonly Expr<"input">[];
  readonly #outputs: readonly Expr[];

  /** `outputs` in the operator's order; `inputs` have names of their own. */
  constructor(inputs: readonly Expr<"input">[], outputs: readonly Expr[], captures: readonly Expr[]) {
    this.#inputs = inputs;
    this.#captured = captures.map((x, i) => input(`captured ${i}`, x.shape, x.dtype));
    this.#outputs = substitute(outputs, new Map(captures.map((x, i) => [x, this.#captured[i]!])));
    this.identity = `${inputs.map((x) => x.attributes.name).join(", ")}: ${hashExprs(this.#outputs)}`;
  }

  get inputs(): readonly Expr<"input">[] {
    return this.#inputs;
  }
  get captured(): readonly Expr<"input">[] {
    return this.#captured;
  }
  get outputs(): readonly Expr[] {
    return this.#outputs;
  }
}

/** Stands for an input of an `external` operator that is left out. */
export const absent: Expr<"input"> = input("", [0]);

/** Checks an `external` node's attribute. */
export function plainAttribute(operator: string, name: string, value: unknown): Attribute {
  const list = Array.isArray(value) && (value.every((x) => typeof x === "number") || value.every((x) => typeof x === "string"));
  const wrapped = typeof value === "object" && value !== null && ["float", "floats", "tensor"].some((key) => key in value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number" || typeof value === "string" || list || wrapped) return value as Attribute;
  throw new EngineError(`attribute ${name} of ${operator} has no ONNX form`, {
    given: String(value),
    accepted: "a number, a boolean, a string, a list of them, { float }, { floats }, { tensor } or a Subgraph",
  });
}
