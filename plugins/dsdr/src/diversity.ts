export interface DiversitySettings {
  /** λ_d. */
  globalCoef: number;
  /** σ_d. */
  diversityClip: number;
  /** Share of the semantic part. */
  semanticWeight: number;
  /** τ: multiplies. */
  allocationScale: number;
  correctThreshold: number;
}

export interface DiversityFacts {
  /** [B] verifier reward; NaN = unverifiable, never correct. */
  rewards: ArrayLike<number>;
  /** [B][d] */
  embeddings: readonly (readonly number[])[];
  /** Expressions of each response. */
  formulas: readonly (readonly string[])[];
}

function cosine(a: readonly number[], b: readonly number[]): number {
  let [dot, aa, bb] = [0, 0, 0];
  a.forEach((x, k) => {
    dot += x * b[k]!;
    aa += x * x;
    bb += b[k]! * b[k]!;
  });
  return dot / Math.sqrt(aa * bb);
}

/**
 * d_i = s·Demb_i + (1 - s)·Deq_i in [0, 1] for the rows of a group: Demb = mean over the other rows of (1 - cos)/2, Deq = share
 * of the row's expressions that no other row has. 0 for a group of one. DSDR (2602.19895), eqs. 4–8.
 */
export function groupDiversity(rows: readonly number[], { embeddings, formulas }: DiversityFacts, semanticWeight: number): number[] {
  if (rows.length === 1) return [0];
  const sets = rows.map((row) => new Set(formulas[row]!));
  const owners = new Map<string, number>();
  for (const set of sets) for (const formula of set) owners.set(formula, (owners.get(formula) ?? 0) + 1);
  return rows.map((row, i) => {
    let distance = 0;
    for (const other of rows) if (other !== row) distance += (1 - cosine(embeddings[row]!, embeddings[other]!)) / 2;
    const own = [...sets[i]!];
    const unique = own.length === 0 ? 0 : own.filter((formula) => owners.get(formula) === 1).length / own.length;
    return (semanticWeight * distance) / (rows.length - 1) + (1 - semanticWeight) * unique;
  });
}

/**
 * Diversity d [B], shaped rewards r + λ_d·clip(d, 0, σ_d) of correct rows [B], and weights of the local term
 * w_i = softmax over the group's correct rows of τ·clip(d_i) [B], 0 elsewhere. DSDR (2602.19895), eqs. 9–12.
 */
export function diversityRewards(facts: DiversityFacts, groupRows: readonly ArrayLike<number>[], o: DiversitySettings) {
  const rewards = Float64Array.from(facts.rewards);
  const diversity = new Float64Array(rewards.length);
  const localWeights = new Float64Array(rewards.length);
  for (const rows of groupRows) {
    const list = Array.from(rows);
    groupDiversity(list, facts, o.semanticWeight).forEach((d, i) => {
      diversity[list[i]!] = d;
    });
    const correct = list.filter((row) => facts.rewards[row]! > o.correctThreshold);
    const bounded = correct.map((row) => Math.min(Math.max(diversity[row]!, 0), o.diversityClip));
    const peak = Math.max(...bounded);
    const weights = bounded.map((d) => Math.exp(o.allocationScale * (d - peak)));
    const total = weights.reduce((a, b) => a + b, 0);
    correct.forEach((row, i) => {
      rewards[row]! += o.globalCoef * bounded[i]!;
      localWeights[row] = weights[i]! / total;
    });
  }
  return { diversity, rewards, localWeights };
}
