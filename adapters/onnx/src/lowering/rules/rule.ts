import type { Expr, Op } from "@proximal/core";

/** A cheaper expression for a node whose inputs are rewritten already; undefined when there is nothing to gain. */
export type Rule<O extends Op = Op> = (node: Expr<O>, inputs: readonly Expr[]) => Expr | undefined;

/** Rules by primitive. What a rule returns is broadcast to the shape of the node. */
export type RuleTable = { readonly [O in Op]?: Rule<O> };

/** The number that a constant of one element holds, or that a broadcast repeats. */
export function numberOf(x: Expr): number | undefined {
  if (x.is("broadcast")) return numberOf(x.inputs[0]!);
  return x.is("constant") && x.attributes.data.length === 1 ? x.attributes.data[0] : undefined;
}
