export interface Candidate {
  token: number;
  /** Of the raw model, at temperature 1. */
  prob: number;
}

export interface BranchingOptions {
  maxBranchesPerToken: number;
  absThreshold: number;
  relThreshold: number;
}

export interface Branching {
  /** The likeliest token of each branch; null for a finished one. */
  continueToken: (number | null)[];
  /** By parent, then by rank of the candidate. */
  newBranches: { parent: number; token: number }[];
  /** Admissible candidates of each branch for which there was no room. */
  suppressed: number[];
}

/** Candidates by falling probability, ties by id. */
export const ranked = (probs: ArrayLike<number>): Candidate[] =>
  Array.from(probs, (prob, token) => ({ token, prob })).sort((a, b) => b.prob - a.prob || a.token - b.token);

/**
 * One decoding step of the branches: c_1 goes on; c_j forks when p(c_j) > absThreshold and p(c_1) - p(c_j) < relThreshold, for
 * j ≤ maxBranchesPerToken, as long as the prompt has fewer than `capacity` branches, finished ones included: all second
 * candidates by branch before all third ones. LATR (2510.24302).
 */
export function branchStep(
  candidates: readonly (readonly Candidate[])[],
  finished: readonly boolean[],
  group: readonly number[],
  capacity: number,
  o: BranchingOptions,
): Branching {
  const size = new Map<number, number>();
  for (const prompt of group) size.set(prompt, (size.get(prompt) ?? 0) + 1);
  const suppressed = candidates.map(() => 0);
  const forks = candidates.flatMap((list, parent) =>
    finished[parent] ? [] : admissible(list, o).map(({ token, rank }) => ({ parent, token, rank })),
  );
  const kept = forks
    .sort((a, b) => a.rank - b.rank || a.parent - b.parent)
    .filter(({ parent }) => {
      const taken = size.get(group[parent]!)!;
      if (taken < capacity) size.set(group[parent]!, taken + 1);
      else suppressed[parent]!++;
      return taken < capacity;
    })
    .sort((a, b) => a.parent - b.parent || a.rank - b.rank);
  return {
    continueToken: candidates.map((list, branch) => (finished[branch] ? null : list[0]!.token)),
    newBranches: kept.map(({ parent, token }) => ({ parent, token })),
    suppressed,
  };
}

/** Candidates beside the first that may fork. */
function admissible(list: readonly Candidate[], { maxBranchesPerToken, absThreshold, relThreshold }: BranchingOptions) {
  const best = list[0]!.prob;
  return list
    .slice(0, maxBranchesPerToken)
    .map(({ token, prob }, rank) => ({ token, prob, rank }))
    .filter(({ prob, rank }) => rank > 0 && prob > absThreshold && best - prob < relThreshold);
}
