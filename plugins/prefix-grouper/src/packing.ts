import { DataError } from "@proximal/core";

/** A group as one packed row: the prefix, then every response. */
export interface Packing {
  /** L, prefix rows; at least one, which predicts the first token of every response. */
  prefixLength: number;
  /** L_g, rows of each response; may be 0. */
  suffixLengths: readonly number[];
}

export const packing = (prefixLength: number, suffixLengths: readonly number[]): Packing => {
  if (prefixLength < 1)
    throw new DataError("a group without prefix cannot be packed: nothing predicts its first tokens", { given: prefixLength });
  return { prefixLength, suffixLengths };
};

/** n = L + Σ L_g. */
export const packedRows = ({ prefixLength, suffixLengths }: Packing): number => suffixLengths.reduce((a, b) => a + b, prefixLength);

/** First packed row of each response. */
export function suffixStarts({ prefixLength, suffixLengths }: Packing): number[] {
  let at = prefixLength;
  return suffixLengths.map((length) => {
    at += length;
    return at - length;
  });
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** [n] position of each row: every response goes on where the prefix ends. */
export const positionIds = ({ prefixLength, suffixLengths }: Packing): number[] => [
  ...range(0, prefixLength),
  ...suffixLengths.flatMap((length) => range(prefixLength, length)),
];

/** [n] rows that each row sees: the prefix up to itself; a response the whole prefix and itself so far. */
export function visibleKeys(group: Packing): number[][] {
  const prefix = range(0, group.prefixLength);
  const starts = suffixStarts(group);
  return [
    ...prefix.map((row) => range(0, row + 1)),
    ...group.suffixLengths.flatMap((length, g) => range(0, length).map((t) => [...prefix, ...range(starts[g]!, t + 1)])),
  ];
}

/**
 * [G][L_g] row whose logits predict token t of response g: the last prefix row for t = 0, then the row before it. Without
 * `includePrefixLast` the first tokens have no predictor and are left out.
 */
export function predictorRows(group: Packing, includePrefixLast = true): number[][] {
  const starts = suffixStarts(group);
  return group.suffixLengths.map((length, g) => {
    const rows = range(0, length).map((t) => (t === 0 ? group.prefixLength - 1 : starts[g]! + t - 1));
    return includePrefixLast ? rows : rows.slice(1);
  });
}
