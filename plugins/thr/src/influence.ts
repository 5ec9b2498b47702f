/** One token of a response: what its prediction error and its features are made of. */
export interface TokenFacts {
  /** Sampled id. */
  token: number;
  /** [d] final-layer state that predicts it. */
  hidden: Float64Array;
  /** Probability of ids under the old policy; an id that is not named has probability 0. */
  probs: ReadonlyMap<number, number>;
}

/** Coordinates of onehot(token) - π over the ids of `vocabulary` that are not 0. */
function predictionError({ token, probs }: TokenFacts, vocabulary: ReadonlySet<number>): [id: number, value: number][] {
  const error: [number, number][] = [];
  for (const [id, p] of probs) if (vocabulary.has(id) && id !== token) error.push([id, -p]);
  error.push([token, 1 - (probs.get(token) ?? 0)]);
  return error;
}

/**
 * s_{j,k} = g_{j,k}ᵀ·M·h_{j,k} with M = Σ_{i correct} (1/T_i)·Σ_c g_{i,c}·h_{i,c}ᵀ: to first order, what raising token (j,k) does to the
 * mean token log-likelihoods of the correct responses of its group. g is the prediction error on the ids that occur in the group,
 * h the state. Responses of one group, [n][T]. THR (2510.03669).
 */
export function influences(responses: readonly (readonly TokenFacts[])[], isCorrect: readonly boolean[]): Float64Array[] {
  const vocabulary = new Set(responses.flatMap((tokens) => tokens.map(({ token }) => token)));
  const errors = responses.map((tokens) => tokens.map((facts) => predictionError(facts, vocabulary)));
  const M = new Map<number, Float64Array>();
  responses.forEach((tokens, i) => {
    if (!isCorrect[i]) return;
    tokens.forEach(({ hidden }, c) => {
      for (const [id, g] of errors[i]![c]!) {
        const row = M.get(id) ?? new Float64Array(hidden.length);
        M.set(id, row);
        for (let d = 0; d < row.length; d++) row[d]! += (g / tokens.length) * hidden[d]!;
      }
    });
  });
  const product = (row: Float64Array | undefined, hidden: Float64Array) => row?.reduce((sum, x, d) => sum + x * hidden[d]!, 0) ?? 0;
  return responses.map((tokens, j) =>
    Float64Array.from(tokens, ({ hidden }, k) => errors[j]![k]!.reduce((sum, [id, g]) => sum + g * product(M.get(id), hidden), 0)),
  );
}
