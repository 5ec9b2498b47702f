import { ShapeError } from "../errors.js";
import { evaluator, type Feeds, type Sizes } from "./evaluate.js";
import type { Expr } from "./expr.js";
import { gradient } from "./gradient.js";
import { topologicalOrder } from "./graph.js";
import { formatShape } from "./shape.js";
import { dtypeOf, type TensorValue } from "./value.js";

export interface CheckOptions {
  /** Entries checked in each tensor, spread evenly; all by default. */
  entries?: number;
  /** Step of the differences, times max(1, |x|). */
  epsilon?: number;
  /** The gradient to check, in the order of `wrt`; by default that of `gradient`. */
  gradients?: readonly Expr[];
  /** Values for symbols that no feed binds. */
  sizes?: Sizes;
  /** What `stopGradient` stops keeps its value in the differences: then they, too, are the derivative that is meant. */
  holdStopped?: boolean;
}

export interface CheckedEntry {
  /** Position in the row-major data. */
  index: number;
  analytic: number;
  numeric: number;
  /** What the difference leaves unexplained by rounding / max(|analytic|, |numeric|, 10⁻³ · largest gradient of the tensor). */
  error: number;
}

export interface CheckedTensor {
  name: string;
  /** ‖analytic − numeric‖₂ / max(‖analytic‖₂, ‖numeric‖₂) over the checked entries, rounding discounted; 0 where both vanish. */
  error: number;
  worst: CheckedEntry | undefined;
}

export interface GradientCheck {
  tensors: CheckedTensor[];
  /** Largest error of a tensor, and of an entry. NaN where a value is. */
  error: number;
  entryError: number;
}

const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((total, x) => total + x * x, 0));
const ratio = (difference: number, scale: number): number => (difference === 0 ? 0 : difference / scale);
/** NaN where one of them is. */
const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);

/** Positions spread over the tensor, off the grid of its rows: steps by the golden ratio within each of `count` stretches. */
function spread(size: number, count: number): number[] {
  if (count >= size) return Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + ((i * 0.618034) % 1)) * size) / count));
}

/** Rounding errors of a loss, in units of its last place, that a difference may show. */
const ROUNDING = 8 * Number.EPSILON;

/**
 * Compares the gradient of a scalar `loss` with central differences, in float64. A smooth loss of order 1 agrees to
 * about 10⁻⁸; a step across a kink (a clip's border, a maximum that changes) does not agree and should be kept out of
 * the feeds. Where `loss` contains `stopGradient` on a path from `wrt`, the two differ by design unless `holdStopped`. A
 * disagreement that rounding of the loss explains, 8 · 2⁻⁵² · |loss| / step, does not count: gradients below it cannot be checked.
 */
export function checkGradient(
  loss: Expr,
  wrt: readonly Expr<"input">[],
  feeds: Feeds,
  { entries = Number.POSITIVE_INFINITY, epsilon = 1e-5, gradients = gradient(loss, wrt), sizes, holdStopped = false }: CheckOptions = {},
): GradientCheck {
  if (loss.rank > 0) throw new ShapeError(`checkGradient: the loss has the shape ${formatShape(loss.shape)}`, { accepted: "a scalar" });
  // With `wrt` among the roots, its feeds bind symbols even where the gradient is a constant.
  const analytic = evaluator([...gradients, ...wrt])(feeds, sizes);
  const value = evaluator([loss]);
  const stopped = holdStopped ? topologicalOrder([loss]).filter((node) => node.op === "stopGradient") : [];
  const kept = evaluator(stopped)(feeds, sizes);
  const held = new Map(stopped.map((node, i) => [node, kept[i]!]));
  const lossAt = (name: string, changed: TensorValue): number => value({ ...feeds, [name]: changed }, sizes, { held })[0]!.data[0]!;

  const tensors = wrt.map((x, i): CheckedTensor => {
    const { name } = x.attributes;
    const feed = feeds[name]!;
    if (dtypeOf(feed) !== "float") throw new ShapeError(`checkGradient: ${name} is ${dtypeOf(feed)}, which has no gradient`);
    const data = feed.data.slice();
    const shifted = { shape: feed.shape, data };
    const checked = spread(data.length, entries).map((index) => {
      const at = data[index]!;
      const step = epsilon * Math.max(1, Math.abs(at));
      data[index] = at + step;
      const [above, high] = [lossAt(name, shifted), data[index]!];
      data[index] = at - step;
      const [below, low] = [lossAt(name, shifted), data[index]!];
      data[index] = at;
      const [exact, numeric] = [analytic[i]!.data[index]!, (above - below) / (high - low)];
      const noise = (ROUNDING * Math.max(Math.abs(above), Math.abs(below))) / (high - low);
      return { index, analytic: exact, numeric, difference: Math.max(0, Math.abs(exact - numeric) - noise) };
    });
    const [a, n] = [checked.map((entry) => entry.analytic), checked.map((entry) => entry.numeric)];
    const floor = 1e-3 * largest(a.map(Math.abs));
    const rated = checked.map(({ difference, ...entry }): CheckedEntry => {
      const scale = Math.max(Math.abs(entry.analytic), Math.abs(entry.numeric), floor);
      return { ...entry, error: ratio(difference, scale) };
    });
    const worst = largest(rated.map((entry) => entry.error));
    const error = ratio(norm(checked.map((entry) => entry.difference)), Math.max(norm(a), norm(n)));
    return { name, error, worst: rated.find((entry) => Object.is(entry.error, worst)) };
  });
  return { tensors, error: largest(tensors.map((t) => t.error)), entryError: largest(tensors.map((t) => t.worst?.error ?? 0)) };
}
