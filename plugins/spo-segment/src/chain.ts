export interface CutOptions {
  /** Tokens below this probability are uncertain. */
  probThreshold: number;
  /** Uncertain tokens a segment. */
  cutpointInterval: number;
}

/**
 * Token indices after which a response is cut: before every `cutpointInterval`-th uncertain token, the first included; -1 = after the
 * prompt. `probs` [T] under the sampling policy. SPO (2505.23564), official code.
 */
export const cutpoints = (probs: ArrayLike<number>, { probThreshold, cutpointInterval }: CutOptions): number[] =>
  Array.from(probs)
    .flatMap((p, t) => (p < probThreshold ? [t - 1] : []))
    .filter((_, i) => i % cutpointInterval === 0);

/**
 * Advantage of each token of one response, [T]: V(end) - V(start) of its segment (previous cut, next cut], 0 before the first cut and for
 * tokens above the threshold. `values` of the cuts, in order; the response ends at its reward. SPO (2505.23564), official code.
 */
export function chainAdvantages(probs: ArrayLike<number>, values: ArrayLike<number>, reward: number, o: CutOptions): Float64Array {
  const result = new Float64Array(probs.length);
  const cuts = cutpoints(probs, o);
  if (cuts.length === 0) return result;
  const marks = [...cuts.map((at, i) => ({ at, value: values[i]! })), { at: probs.length - 1, value: reward }];
  let base: number | undefined;
  let from = 0;
  for (const { at, value } of marks) {
    if (base !== undefined) result.fill(value - base, from, at + 1);
    base = value;
    from = at + 1;
  }
  return result.map((a, t) => (probs[t]! > o.probThreshold ? 0 : a));
}
