import { statistics } from "@proximal/core";

/** A group in which no response is correct. */
export const isHard = (correctness: ArrayLike<number>, threshold: number): boolean =>
  Array.from(correctness).every((reward) => !(reward > threshold));

/** Characters of a reference solution of `length` characters that ratio w shows: round half to even of length·w. */
export const hintLength = (length: number, ratio: number): number => statistics.roundHalfEven(length * ratio);

export interface Refined<G> {
  /** The groups that are trained on. */
  kept: G[];
  /** [G] stage at which each was sampled; 0 = plain prompt. */
  stage: number[];
}

/**
 * Stage k = 1 … stages samples anew those groups that stage k-1 left without a correct response; what a group got last is kept,
 * also when it is all wrong. `resample` gives null where a group cannot be refined. GHPO (2507.10628).
 */
export async function refineGroups<G>(
  first: readonly G[],
  stages: number,
  hard: (group: G) => boolean,
  resample: (stage: number, groups: readonly number[]) => Promise<readonly (G | null)[]>,
): Promise<Refined<G>> {
  const kept = [...first];
  const stage = first.map(() => 0);
  let open = [...first.keys()];
  for (let k = 1; k <= stages; k++) {
    open = open.filter((g) => hard(kept[g]!));
    if (open.length === 0) break;
    const sampled = await resample(k, open);
    open = open.filter((g, i) => {
      const group = sampled[i]!;
      if (group === null) return false;
      kept[g] = group;
      stage[g] = k;
      return true;
    });
  }
  return { kept, stage };
}
