import type { Batch } from "@proximal/core";

/** One draw of a response from every question of a bundle, without replacement. */
export interface Paper {
  rows: number[];
  /** Sum of the rewards of its rows. */
  score: number;
}

/**
 * Papers of every bundle, bundles in order of first appearance: paper k takes the k-th response of each of the bundle's
 * questions, k below the smallest number of responses.
 */
export function papersOf(batch: Batch, bundle: ArrayLike<number>): Paper[][] {
  const rewards = batch.f64("rewards");
  const questions = new Map<number, Int32Array[]>();
  for (const rows of batch.groupRows) {
    if (rows.length === 0) continue;
    const id = bundle[rows[0]!]!;
    questions.set(id, [...(questions.get(id) ?? []), rows]);
  }
  return [...questions.values()].map((groups) => {
    const count = Math.min(...groups.map((rows) => rows.length));
    return Array.from({ length: count }, (_, k) => {
      const rows = groups.map((group) => group[k]!);
      return { rows, score: rows.reduce((sum, row) => sum + rewards[row]!, 0) };
    });
  });
}
