import { type Bindings, bindDim, type Dim, Expr, type Op, type OpAttributes, topologicalOrder } from "@proximal/core";
import type { Rule } from "./rule.js";
import { algebraRules } from "./rules-algebra.js";
import { contractionRules } from "./rules-contraction.js";
import { shapeRules } from "./rules-shape.js";

/** The attributes that hold sizes. */
const SIZES = ["shape", "size", "starts", "ends", "before", "after"] as const;

function bindAttributes(node: Expr, bind: (dim: Dim) => Dim): { attributes: OpAttributes[Op]; changed: boolean } {
  const attributes: Record<string, unknown> = { ...node.attributes };
  let changed = false;
  const bound = (dim: Dim | null) => {
    const result = dim === null ? null : bind(dim);
    if (result !== dim) changed = true;
    return result;
  };
  for (const key of SIZES) {
    const value = attributes[key] as Dim | readonly (Dim | null)[] | undefined;
    if (value !== undefined) attributes[key] = typeof value === "object" ? value.map(bound) : bound(value);
  }
  return { attributes: changed ? (attributes as OpAttributes[Op]) : node.attributes, changed };
}

/**
 * Binds the symbolic sizes and rewrites the expressions into cheaper equal ones: broadcasts move outwards until an
 * elementwise operator absorbs them, constants fold, transposes move into matmul, batch axes that are summed become part
 * of the product. `leaves` are kept as they are (values that a subgraph captures). Equal up to rounding.
 */
export function simplify(
  roots: readonly Expr[],
  bindings: Bindings = new Map(),
  { leaves = new Set(), extra = [] }: { leaves?: ReadonlySet<Expr>; extra?: readonly Rule[] } = {},
): Expr[] {
  const rules = [...shapeRules, ...algebraRules, ...contractionRules, ...extra];
  const bind = (dim: Dim) => bindDim(dim, bindings);
  const settled = new Map<Expr, Expr>();
  for (const leaf of leaves) settled.set(leaf, leaf);

  const rewrite = (node: Expr): Expr => {
    for (const rule of rules) {
      const next = rule(node);
      if (next !== node) return next;
    }
    return node;
  };
  const settle = (node: Expr): Expr => {
    const known = settled.get(node);
    if (known) return known;
    const inputs = node.inputs.map(settle);
    const shape = node.shape.map(bind);
    const { attributes, changed } = bindAttributes(node, bind);
    const same = !changed && inputs.every((x, i) => x === node.inputs[i]) && shape.every((d, i) => d === node.shape[i]);
    const bound = same ? node : new Expr(node.op, inputs, attributes, shape, node.dtype);
    const next = rewrite(bound);
    const result = next === bound ? bound : settle(next);
    settled.set(node, result);
    settled.set(result, result);
    return result;
  };
  for (const node of topologicalOrder(roots)) settle(node);
  return roots.map(settle);
}
