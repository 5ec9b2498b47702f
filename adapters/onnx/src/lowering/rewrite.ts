import {
  BINARY_FLOAT,
  type Bindings,
  bindDim,
  broadcastShapes,
  COMPARISONS,
  type Dim,
  Expr,
  simplifyNode,
  topologicalOrder,
  UNARY_FLOAT,
} from "@proximal/core";
import { general, type Rule, type RuleTable } from "./rules/index.js";
import { bindAttributes } from "./sizes.js";

/** Primitives that work element by element and broadcast their operands. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...UNARY_FLOAT,
  ...BINARY_FLOAT,
  ...COMPARISONS,
  "not",
  "and",
  "or",
  "isFinite",
  "where",
  "cast",
]);

/** f(broadcast(x), y) = broadcast(f(x, y)): the operator broadcasts by itself. */
function broadcastOutwards(node: Expr): Expr | undefined {
  if (!ELEMENTWISE.has(node.op) || !node.inputs.some((x) => x.is("broadcast"))) return undefined;
  const inputs = node.inputs.map((x) => (x.is("broadcast") ? x.inputs[0]! : x));
  const shape = broadcastShapes(node.op, ...inputs.map((x) => x.shape));
  return new Expr(node.op, inputs, node.attributes, shape, node.dtype).broadcastTo(node.shape);
}

/**
 * Binds the symbolic sizes and rewrites the expressions into cheaper equal ones: broadcasts move outwards until an
 * elementwise operator absorbs them, constants fold, transposes move into matmul, batch axes that are summed become part
 * of the product. Equal up to rounding. `extra` holds the rules of a target.
 */
export function rewrite(roots: readonly Expr[], bindings: Bindings = new Map(), extra: readonly RuleTable[] = []): Expr[] {
  const tables = [...general, ...extra];
  const bind = (dim: Dim) => bindDim(dim, bindings);
  const settled = new Map<Expr, Expr>();

  const improve = (node: Expr): Expr | undefined => {
    const simpler = simplifyNode(node) ?? broadcastOutwards(node);
    if (simpler) return simpler;
    for (const table of tables) {
      const next = (table[node.op] as Rule | undefined)?.(node, node.inputs);
      if (next) return next.broadcastTo(node.shape);
    }
    return undefined;
  };
  const settle = (node: Expr): Expr => {
    const known = settled.get(node);
    if (known) return known;
    const inputs = node.inputs.map(settle);
    const shape = node.shape.map(bind);
    const attributes = bindAttributes(node, bind);
    const same =
      attributes === node.attributes && inputs.every((x, i) => x === node.inputs[i]) && shape.every((d, i) => d === node.shape[i]);
    const bound = same ? node : new Expr(node.op, inputs, attributes, shape, node.dtype);
    const next = improve(bound);
    const result = next === undefined ? bound : settle(next);
    settled.set(node, result);
    settled.set(result, result);
    return result;
  };
  for (const node of topologicalOrder(roots)) settle(node);
  return roots.map(settle);
}
