/**
 * Has the top reward of a prompt more than one distinct answer? Each answer class stands with its mean reward; classes within
 * `tieTolerance` of the best tie. Rows without a reward (NaN) are left out.
 */
export function isDegenerate(answers: readonly string[], rewards: ArrayLike<number>, tieTolerance: number): boolean {
  const classes = new Map<string, { sum: number; count: number }>();
  answers.forEach((answer, i) => {
    if (Number.isNaN(rewards[i])) return;
    const known = classes.get(answer) ?? { sum: 0, count: 0 };
    classes.set(answer, { sum: known.sum + rewards[i]!, count: known.count + 1 });
  });
  const means = [...classes.values()].map(({ sum, count }) => sum / count);
  const best = Math.max(...means);
  return means.filter((mean) => mean >= best - tieTolerance).length > 1;
}
