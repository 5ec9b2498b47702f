import type { Span } from "../policy/index.js";
import { type Expr, topologicalOrder } from "../tensor/index.js";

const ORDER: Span[] = ["token", "row", "group", "batch"];
const wider = (a: Span, b: Span): Span => (ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b);

interface Reach {
  /** Mixed so far, linearly or not. */
  mixed: Span;
  /** Mixed and then used non-linearly: what must stay in one piece. */
  fixed: Span;
}

const NONE: Reach = { mixed: "token", fixed: "token" };

/** Linear in each varying operand, given that the other operands do not vary. */
const LINEAR = new Set([
  "add",
  "sub",
  "neg",
  "sum",
  "reshape",
  "transpose",
  "slice",
  "pad",
  "concat",
  "broadcast",
  "cumsum",
  "guard",
  "customGradient",
]);

/**
 * Span of `loss` over `variables` (everything that differs by row, whose first axes are B and T; symbols, not numbers).
 * A linear mix over rows is no obstacle to micro-batches, since their losses add up; what is non-linear after it is.
 */
export function spanOf(loss: Expr, variables: ReadonlySet<Expr>, { B, T }: { B: string; T: string }, groupMasks: ReadonlySet<Expr>): Span {
  const reach = new Map<Expr, Reach>();
  const groupLike = new Set<Expr>(groupMasks);
  // Rows along another axis than the first, with what they had mixed before: whatever they meet there is of another row.
  const moved = new Map<Expr, Span>();
  let result: Span = "token";
  for (const node of topologicalOrder([loss])) {
    if (variables.has(node)) {
      reach.set(node, NONE);
      continue;
    }
    if (["cast", "and", "transpose"].includes(node.op) && node.inputs.some((x) => groupLike.has(x))) groupLike.add(node);
    if (node.op === "stopGradient" || node.dtype !== "float") {
      // Values still matter when rows are mixed before a stop-gradient: the coefficient would differ by micro-batch.
      const inner = node.inputs.map((x) => reach.get(x)).filter((r) => r !== undefined);
      if (inner.length > 0) {
        const mixed = inner.map((r) => wider(r.mixed, r.fixed)).reduce(wider);
        reach.set(node, { mixed, fixed: mixed });
      }
      continue;
    }
    const varying = node.inputs.map((x) => reach.get(x)).filter((r) => r !== undefined);
    if (varying.length === 0) continue;
    let mixed = varying.map((r) => r.mixed).reduce(wider);
    let fixed = varying.map((r) => r.fixed).reduce(wider);
    if (node.op === "transpose" && node.shape[0] !== B && node.shape.includes(B)) {
      moved.set(node, mixed);
      mixed = "batch";
    }
    if (node.op === "where" && groupLike.has(node.inputs[0]!)) {
      const [condition, ...branches] = node.inputs;
      const before = branches.filter((x) => reach.has(x)).map((x) => moved.get(x));
      if (before.length > 0 && before.every((span) => span !== undefined))
        mixed = [...before, reach.get(condition!)?.mixed ?? "token"].reduce(wider, "group");
    }
    const bilinear = (node.op === "mul" || node.op === "matmul") && varying.length === 1;
    const chosen = node.op === "where" && !reach.has(node.inputs[0]!);
    const scaled = node.op === "div" && reach.get(node.inputs[1]!) === undefined;
    if (!LINEAR.has(node.op) && !bilinear && !chosen && !scaled) fixed = wider(fixed, mixed);
    if (node.op === "sum" || node.op === "reduceMax") {
      const axes = node.is("sum") || node.is("reduceMax") ? node.attributes.axes : [];
      const shape = node.inputs[0]!.shape;
      const byGroup = groupLike.has(node.inputs[0]!) || groupLikeInput(node, groupLike);
      if (axes.some((axis) => shape[axis] === T)) mixed = wider(mixed, "row");
      if (axes.some((axis) => shape[axis] === B)) mixed = wider(mixed, byGroup ? "group" : "batch");
      if (node.op === "reduceMax") fixed = wider(fixed, mixed);
    }
    if (node.op === "matmul") mixed = wider(mixed, node.inputs.some((x) => groupLike.has(x)) ? "group" : "batch");
    if (node.op === "cumsum") mixed = wider(mixed, "row");
    reach.set(node, { mixed, fixed });
  }
  result = reach.get(loss)?.fixed ?? "token";
  return result;
}

const groupLikeInput = (node: Expr, groupLike: ReadonlySet<Expr>): boolean =>
  node.inputs.some((x) => x.op === "where" && groupLike.has(x.inputs[0]!));
