import { type Bindings, bindDim, type Dim, Expr, topologicalOrder } from "@proximal/core";
import type { Rule } from "./rule.js";
import { algebraRules } from "./rules-algebra.js";
import { contractionRules } from "./rules-contraction.js";
import { shapeRules } from "./rules-shape.js";
import { bindAttributes } from "./sizes.js";

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
