/** Tokens of one row that both winners and losers of its group have at the same place. */
export interface Conflicts {
  /** Length of the unbroken run of conflict tokens from the start. */
  forward: number;
  /** The same from the end. */
  backward: number;
}

type Row = ArrayLike<number>;

/** Ids at each distance from the start (or the end) that some positive and some negative row share. */
function sharedIds(rows: readonly Row[], signs: readonly number[], at: (row: Row, k: number) => number | undefined): Set<number>[] {
  const longest = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: longest }, (_, k) => {
    const ids = (sign: number) => new Set(rows.flatMap((row, i) => (signs[i] === sign && at(row, k) !== undefined ? [at(row, k)!] : [])));
    const negative = ids(-1);
    return new Set([...ids(1)].filter((id) => negative.has(id)));
  });
}

/**
 * Conflict runs of each row of a group. `signs` are those of the centred rewards: rows at 0 take no part and have none.
 * GTPO (2508.03772), conflict tokens.
 */
export function conflictRuns(rows: readonly Row[], signs: readonly number[]): Conflicts[] {
  const ahead = (row: Row, k: number) => row[k];
  const behind = (row: Row, k: number) => row[row.length - 1 - k];
  const run = (row: Row, shared: readonly Set<number>[], at: typeof ahead) => {
    let length = 0;
    while (length < row.length && shared[length]!.has(at(row, length)!)) length++;
    return length;
  };
  const fromStart = sharedIds(rows, signs, ahead);
  const fromEnd = sharedIds(rows, signs, behind);
  return rows.map((row, i) =>
    signs[i] === 0 ? { forward: 0, backward: 0 } : { forward: run(row, fromStart, ahead), backward: run(row, fromEnd, behind) },
  );
}

/** Tokens in either run, each counted once. */
export const conflictCount = ({ forward, backward }: Conflicts, length: number): number => Math.min(length, forward + backward);
