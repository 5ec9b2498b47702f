import { type Expr, external } from "@proximal/core";
import { Subgraph } from "./attributes.js";

/**
 * `whenTrue` if the bool [] condition holds, else `whenFalse`: one ONNX `If`, of which only one branch runs. The branches
 * read `captures` from outside. It has no gradient and the reference evaluator does not know it.
 */
export function choose(condition: Expr, whenTrue: readonly Expr[], whenFalse: readonly Expr[], captures: readonly Expr[]): Expr[] {
  const outputs = whenTrue.map(({ shape, dtype }) => ({ shape, dtype }));
  const attributes = { then_branch: new Subgraph([], whenTrue, captures), else_branch: new Subgraph([], whenFalse, captures) };
  return external("If", [condition, ...captures, ...captures], outputs, { attributes });
}
