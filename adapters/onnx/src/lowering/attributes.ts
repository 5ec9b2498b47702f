import { EngineError, type Expr, input } from "@proximal/core";
import type { Attribute } from "./graph.js";

/**
 * A graph-valued attribute (the body of a `Loop`): its inputs, its outputs in the operator's order, and the outer
 * expressions that it reads by name. The outer operator lists the captures behind its own inputs, so that they exist.
 */
export class Subgraph {
  constructor(
    readonly inputs: readonly Expr<"input">[],
    readonly outputs: readonly Expr[],
    readonly captures: readonly Expr[],
  ) {}
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
