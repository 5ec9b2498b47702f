const OPERATIONS =
  "box|sphere|cylinder|extrude|revolve|loft|sweep|chamfer|fillet|translate|rotate|moveTo|lineTo|center|circle|rect|polygon|hole|shell|offset2D";

/** A number literal with its sign, or the name of an operation that shapes the geometry. */
export const PRECISION_PATTERN = `(?<![\\w.])[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?|\\b(?:${OPERATIONS})\\b`;

/**
 * ω of each token: `heavy` where its characters overlap a match of `pattern` (a literal may be spread over several tokens),
 * else 1. `offsets` [T + 1]: where each token begins in the text. CAD-RL (2508.10118), eq. 8.
 */
export function precisionWeights(text: string, offsets: ArrayLike<number>, pattern: RegExp, heavy: number): Float64Array {
  const spans = Array.from(text.matchAll(pattern), ({ index, 0: found }) => [index, index + found.length] as const);
  return Float64Array.from({ length: offsets.length - 1 }, (_, t) =>
    spans.some(([start, end]) => offsets[t]! < end && offsets[t + 1]! > start) ? heavy : 1,
  );
}
