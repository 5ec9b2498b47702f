import { ShapeError } from "../errors.js";
import { evaluator, type Feeds, type Sizes } from "./evaluate.js";
import type { Expr } from "./expr.js";
import { gradient } from "./gradient.js";
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
}

export interface CheckedEntry {
  /** Position in the row-major data. */
  index: number;
  analytic: number;
  numeric: number;
  /** |analytic − numeric| / max(|analytic|, |numeric|, 10⁻³ · largest gradient of this tensor). */
  error: number;
}

export interface CheckedTensor {
  name: string;
  /** ‖analytic − numeric‖₂ / max(‖analytic‖₂, ‖numeric‖₂) over the checked entries; 0 where both vanish. */
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

const spread = (size: number, count: number): number[] =>
  Array.from({ length: Math.min(size, count) }, (_, i) => Math.floor((i * size) / Math.min(size, count)));

/**
 * Compares the gradient of a scalar `loss` with central differences, in float64. A smooth loss of order 1 agrees to
 * about 10⁻⁸; a step across a kink (a clip's border, a maximum that changes) does not agree and should be kept out of
 * the feeds. `loss` must not contain `stopGradient` on a path from `wrt`, or the two differ by design.
 */
export function checkGradient(
  loss: Expr,
  wrt: readonly Expr<"input">[],
  feeds: Feeds,
  { entries = Number.POSITIVE_INFINITY, epsilon = 1e-5, gradients = gradient(loss, wrt), sizes }: CheckOptions = {},
): GradientCheck {
  // With `wrt` among the roots, its feeds bind symbols even where the gradient is a constant.
  const analytic = evaluator([...gradients, ...wrt])(feeds, sizes);
  const value = evaluator([loss]);
  const lossAt = (name: string, changed: TensorValue): number => value({ ...feeds, [name]: changed }, sizes)[0]!.data[0]!;

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
      return { index, analytic: analytic[i]!.data[index]!, numeric: (above - below) / (high - low) };
    });
    const [a, n] = [checked.map((entry) => entry.analytic), checked.map((entry) => entry.numeric)];
    const floor = 1e-3 * largest(a.map(Math.abs));
    const rated = checked.map((entry): CheckedEntry => {
      const scale = Math.max(Math.abs(entry.analytic), Math.abs(entry.numeric), floor);
      return { ...entry, error: ratio(Math.abs(entry.analytic - entry.numeric), scale) };
    });
    const worst = largest(rated.map((entry) => entry.error));
    const error = ratio(norm(a.map((v, k) => v - n[k]!)), Math.max(norm(a), norm(n)));
    return { name, error, worst: rated.find((entry) => Object.is(entry.error, worst)) };
  });
  return { tensors, error: largest(tensors.map((t) => t.error)), entryError: largest(tensors.map((t) => t.worst?.error ?? 0)) };
}
