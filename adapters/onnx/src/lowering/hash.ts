import { createHash } from "node:crypto";
import { type Expr, topologicalOrder } from "@proximal/core";
import { Subgraph } from "./attributes.js";

const digest = (text: string | NodeJS.ArrayBufferView): string => createHash("sha256").update(text).digest("hex");

/** Attributes as text. A VJP changes no value that is already in the graph. */
function describeAttributes(node: Expr): string {
  if (node.is("constant")) return digest(node.attributes.data);
  if (node.is("customGradient") || node.is("external")) return "";
  return JSON.stringify(node.attributes);
}

/**
 * Identity of a set of named expressions: equal for expressions that are built alike, whatever objects they are made of.
 * Together with dtype, profile and bound sizes it identifies a graph before it is lowered.
 */
export function expressionHash(outputs: Readonly<Record<string, Expr>>): string {
  const names = Object.keys(outputs);
  return digest(JSON.stringify([names, hashOf(Object.values(outputs), [])]));
}

/** `bound` expressions (what a subgraph reads from outside) are identified by their position only. */
function hashOf(roots: readonly Expr[], bound: readonly Expr[]): string {
  const numbers = new Map<Expr, number>(bound.map((x, i) => [x, -1 - i]));
  const calls = new Map<object, number>();
  const lines: string[] = [];
  const number = (x: Expr) => numbers.get(x)!;
  for (const node of topologicalOrder(roots)) {
    if (numbers.has(node)) continue;
    const line = [node.op, node.dtype, node.shape.join(), node.inputs.map(number).join(), describeAttributes(node)];
    if (node.is("external")) {
      const { call, operator, domain, output, attributes } = node.attributes;
      const known = calls.get(call);
      calls.set(call, known ?? calls.size);
      line.push(operator, domain, String(output), String(calls.get(call)));
      if (known === undefined) line.push(...Object.entries(attributes).map(([name, value]) => `${name}=${describeValue(value)}`));
    }
    numbers.set(node, numbers.size);
    lines.push(line.join("|"));
  }
  return digest([...lines, roots.map(number).join()].join("\n"));
}

function describeValue(value: unknown): string {
  if (value instanceof Subgraph) return hashOf(value.outputs, [...value.inputs, ...value.captures]);
  return JSON.stringify(value, (_, part: unknown) =>
    ArrayBuffer.isView(part) ? digest(new Uint8Array(part.buffer, part.byteOffset, part.byteLength)) : part,
  );
}
