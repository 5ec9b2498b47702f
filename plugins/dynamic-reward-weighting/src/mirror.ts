const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
};

/** I_k = <g_k, Σ_j g_j>: how well each objective's gradient agrees with all of them, its own included. */
export function influences(gradients: readonly ArrayLike<number>[]): number[] {
  const total = new Float64Array(gradients[0]?.length ?? 0);
  for (const gradient of gradients) for (let i = 0; i < total.length; i++) total[i]! += gradient[i]!;
  return gradients.map((gradient) => dot(gradient, total));
}

/** Mirror descent on the simplex: softmax(ln w + lr·I / μ). */
export function updatedWeights(weights: readonly number[], influence: readonly number[], learningRate: number, mu: number): number[] {
  const scores = weights.map((w, k) => Math.log(w) + (learningRate * influence[k]!) / mu);
  const peak = Math.max(...scores);
  const raw = scores.map((score) => Math.exp(score - peak));
  const total = raw.reduce((a, b) => a + b, 0);
  return raw.map((x) => x / total);
}
