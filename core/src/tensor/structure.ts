import { createHash } from "node:crypto";
import { Expr } from "./expr.js";
import { topologicalOrder } from "./graph.js";

/** JSON with sorted keys, exact numbers, typed arrays by content; functions have no content and are left out. */
function canonical(value: unknown): unknown {
  if (typeof value === "number")
    return Object.is(value, -0) || !Number.isFinite(value) ? { number: Object.is(value, -0) ? "-0" : `${value}` } : value;
  if (typeof value === "bigint") return { integer: `${value}` };
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return { array: value.constructor.name, sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  if (Array.isArray(value)) return value.map(canonical);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, canonical(item)]),
  );
}

function attributesOf(node: Expr): unknown {
  if (node.is("constant")) return { data: Float64Array.from(node.attributes.data) };
  if (node.is("customGradient")) return {};
  if (node.is("external")) {
    const { call: _identity, ...rest } = node.attributes;
    return rest;
  }
  return node.attributes;
}

/** What tells a node from one with equal operands and attributes: each `guard`, `customGradient` and call stands for itself. */
function identityOf(node: Expr): object | undefined {
  if (node.is("external")) return node.attributes.call;
  return node.op === "guard" || node.op === "customGradient" ? node : undefined;
}

/** Numbers nodes so that structurally equal ones get the same number; the numbers depend on the order of visits only. */
export class Numbering {
  readonly #classes = new Map<string, number>();
  readonly #identities = new Map<object, number>();

  /** Number of a node whose operands have the numbers `inputs`. */
  of(node: Expr, inputs: readonly number[]): number {
    const identity = identityOf(node);
    const own = identity && numberIn(this.#identities, identity);
    return numberIn(this.#classes, JSON.stringify([node.op, inputs, own, node.dtype, node.shape, canonical(attributesOf(node))]));
  }

  /** What each number stands for, in order. */
  get keys(): string[] {
    return [...this.#classes.keys()];
  }
}

function numberIn<Key>(numbers: Map<Key, number>, key: Key): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}

/**
 * SHA-256, in hex, of what `roots` compute: names, types, shapes, constants and structure. Node ids do not count, nor
 * whether an expression occurs once or as several equal copies. A `guard`, a `customGradient` and a call of an
 * `external` operator are told from their equals by their place; the function of a `customGradient` does not count, so
 * hash the gradients along with the values.
 */
export function hashExprs(roots: readonly Expr[]): string {
  const numbering = new Numbering();
  const numbers = new Map<Expr, number>();
  for (const node of topologicalOrder(roots)) {
    numbers.set(
      node,
      numbering.of(
        node,
        node.inputs.map((x) => numbers.get(x)!),
      ),
    );
  }
  const content = [...numbering.keys, JSON.stringify(roots.map((root) => numbers.get(root)))].join("\n");
  return createHash("sha256").update(content).digest("hex");
}

/** The same primitive over other operands. */
export function withInputs(node: Expr, inputs: readonly Expr[]): Expr {
  return inputs.every((x, i) => x === node.inputs[i]) ? node : new Expr(node.op, inputs, node.attributes, node.shape, node.dtype);
}

/** For each node of the graphs, the one node that stands for it and its equals (common subexpression elimination). */
export function mergeEqual(roots: readonly Expr[]): ReadonlyMap<Expr, Expr> {
  const numbering = new Numbering();
  const representatives: Expr[] = [];
  const numbers = new Map<Expr, number>();
  const merged = new Map<Expr, Expr>();
  for (const node of topologicalOrder(roots)) {
    const inputs = node.inputs.map((x) => numbers.get(x)!);
    const number = numbering.of(node, inputs);
    representatives[number] ??= withInputs(
      node,
      inputs.map((i) => representatives[i]!),
    );
    numbers.set(node, number);
    merged.set(node, representatives[number]);
  }
  return merged;
}
