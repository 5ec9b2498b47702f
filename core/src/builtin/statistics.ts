/** Mean; NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total / values.length;
}

/** Middle value, the mean of the two middle ones of an even number; NaN of nothing. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Standard deviation around the mean, divided by n - ddof; 0 when n - ddof <= 0. */
export function std(values: ArrayLike<number>, ddof: number): number {
  const n = values.length;
  if (n - ddof <= 0) return 0;
  const center = mean(values);
  let total = 0;
  for (let i = 0; i < n; i++) total += (values[i]! - center) ** 2;
  return Math.sqrt(total / (n - ddof));
}

/** The entries of `values` at `indices`. */
export const take = (values: ArrayLike<number>, indices: ArrayLike<number>): Float64Array =>
  Float64Array.from(indices, (index) => values[index]!);

/** The nearest integer, a tie to the even one. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

/** exp of a log-ratio clamped to ±20, as in the graphs of losses. */
export const boundedRatio = (logRatio: number): number => Math.exp(Math.min(Math.max(logRatio, -20), 20));

/** All entries equal (a group that gives no relative signal). */
export function constant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/**
 * (x - m) / sqrt(v + eps) with the mean m and the sample variance v (Σ - 1) of entries that each count `counts[i]` times: a mask
 * over tokens, or the lengths of rows. Entries that count 0 are whitened too. Unchanged when fewer than 2 count.
 */
export function whiten(values: Float64Array, counts: ArrayLike<number>, eps = 1e-8): Float64Array {
  let [total, sum, squares] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    if (!counts[i]) continue;
    total += counts[i]!;
    sum += counts[i]! * values[i]!;
  }
  if (total < 2) return values;
  const center = sum / total;
  for (let i = 0; i < values.length; i++) if (counts[i]) squares += counts[i]! * (values[i]! - center) ** 2;
  const scale = Math.sqrt(squares / (total - 1) + eps);
  return values.map((x) => (x - center) / scale);
}
