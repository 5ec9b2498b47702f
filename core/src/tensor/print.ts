import type { Expr } from "./expr.js";
import { topologicalOrder } from "./graph.js";
import { formatNumber, isSilent, LEVEL, type Notation, notationOf, type Piece } from "./notation.js";
import { formatShape } from "./shape.js";
import { mergeEqual } from "./structure.js";

function formatAttribute(value: unknown): string | undefined {
  if (ArrayBuffer.isView(value)) {
    const data = [...(value as Float64Array)];
    return data.length <= 8 ? `[${data.map(formatNumber).join(", ")}]` : `${data.length} numbers`;
  }
  if (typeof value === "function") return undefined;
  return Array.isArray(value)
    ? `[${value.map((item) => item ?? "end").join(", ")}]`
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);
}

/** One line a node, operands before their users: `%3 = matmul(%1, x) {transposeA: false}: float [B, T]`. */
export function printExpr(expr: Expr | readonly Expr[]): string {
  const roots = Array.isArray(expr) ? (expr as readonly Expr[]) : [expr as Expr];
  const names = new Map<Expr, string>();
  let count = 0;
  const lines: string[] = [];
  for (const node of topologicalOrder(roots)) {
    if (node.is("constant") && node.rank === 0) {
      names.set(node, formatNumber(node.attributes.data[0]!));
      continue;
    }
    const name = node.is("input") ? node.attributes.name : `%${count++}`;
    names.set(node, name);
    const attributes = Object.entries(node.attributes).flatMap(([key, value]) => {
      const text = key === "name" || key === "call" ? undefined : formatAttribute(value);
      return text === undefined ? [] : [`${key}: ${text}`];
    });
    const operands = node.inputs.length > 0 ? `(${node.inputs.map((x) => names.get(x)).join(", ")})` : "";
    const details = attributes.length > 0 ? ` {${attributes.join(", ")}}` : "";
    lines.push(`${name} = ${node.op}${operands}${details}: ${node.dtype} ${formatShape(node.shape)}`);
  }
  return [...lines, `return ${roots.map((root) => names.get(root)).join(", ")}`].join("\n");
}

export interface EquationOptions {
  /** Names for subexpressions, such as r for the ratio; each gets a line of its own below the equation. */
  names?: ReadonlyMap<Expr, string>;
  /** Longest line before a subexpression moves to a line of its own. */
  width?: number;
}

/**
 * The equation that an expression stands for, in the field's notation: `min(r·A, clip(r, 0.8, 1.2)·A)`, sg[x] for
 * `stopGradient`, Σ_T for a sum over the axis T, 1[x < y] for an indicator. Reshapes and broadcasts are not written.
 * What occurs more than once and takes two operations or more gets a name and a line of its own.
 */
export function formatEquation(expr: Expr, { names = new Map(), width = 100 }: EquationOptions = {}): string {
  const merged = mergeEqual([expr, ...names.keys()]);
  const root = merged.get(expr)!;
  const named = new Map<Expr, string>([...names].map(([x, name]) => [merged.get(x)!, name]));
  const taken = new Set([...names.values(), ...[...merged.keys()].flatMap((x) => (x.is("input") ? [x.attributes.name] : []))]);
  const letters = freshNames(taken);

  const notations = new Map<Expr, Notation>();
  const steps = new Map<Expr, number>();
  const uses = new Map<Expr, number>();
  const order: Expr[] = [];
  /** The node whose notation stands for x: silent nodes are skipped unless they have a name. */
  const shown = (x: Expr): Expr => (isSilent(x) && !named.has(x) ? shown(x.inputs[0]!) : x);
  const survey = (x: Expr): number => {
    uses.set(x, (uses.get(x) ?? 0) + 1);
    const known = steps.get(x);
    if (known !== undefined) return known;
    order.push(x);
    const notation = notationOf(x);
    const parts = notation.parts.map(shown);
    notations.set(x, { ...notation, parts });
    const size = parts.length === 0 ? 0 : 1 + parts.reduce((total, part) => total + survey(part), 0);
    steps.set(x, size);
    return size;
  };
  const top = shown(root);
  survey(top);
  for (const x of order) if (x !== top && !named.has(x) && uses.get(x)! > 1 && steps.get(x)! > 1) named.set(x, letters());

  const bodies = new Map<Expr, string>();
  const write = (x: Expr): Piece => {
    const name = named.get(x);
    if (name !== undefined && bodies.has(x)) return { text: name, level: LEVEL.atom };
    const { parts, write: join } = notations.get(x)!;
    const piece = join(parts.map(write));
    if (x === top) return piece;
    if (name === undefined && piece.text.length <= width) return piece;
    if (name === undefined) named.set(x, letters());
    bodies.set(x, piece.text);
    return { text: named.get(x)!, level: LEVEL.atom };
  };
  const equation = write(top).text;
  const definitions = order.filter((x) => bodies.has(x) && bodies.get(x) !== named.get(x));
  return [equation, ...definitions.map((x) => `  ${named.get(x)} = ${bodies.get(x)}`)].join("\n");
}

/** a, b, … z, a1, b1, …, without the names that are taken. */
function freshNames(taken: ReadonlySet<string>): () => string {
  let count = 0;
  return () => {
    for (;;) {
      const name = String.fromCharCode(97 + (count % 26)) + (count < 26 ? "" : Math.floor(count / 26));
      count++;
      if (!taken.has(name)) return name;
    }
  };
}
