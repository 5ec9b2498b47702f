const NORM_FLOOR = 1e-8;
const EQUAL = 1e-12;

/** Most frequent answer among the valid (non-null) ones; of equally frequent ones the first seen; null when all are invalid. */
export function majorityOf(answers: readonly (string | null)[]): string | null {
  const counts = new Map<string, number>();
  for (const answer of answers) if (answer !== null) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  let best: string | null = null;
  for (const [answer, count] of counts) if (best === null || count > counts.get(best)!) best = answer;
  return best;
}

const norm = (v: readonly number[]): number => Math.max(Math.sqrt(v.reduce((sum, x) => sum + x * x, 0)), NORM_FLOOR);

/** Cosine clipped to [0, 1]. */
function similarity(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  return Math.min(1, Math.max(0, dot / (norm(a) * norm(b))));
}

/** Novelties of one class onto [0, 1]; null where the class cannot tell its members apart. */
function spread(values: readonly number[]): (number | null)[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((u) => (high - low <= EQUAL ? null : (u - low) / (high - low)));
}

/**
 * Rewards of one prompt's responses: majority answers in [0.5, 1], others in [-1, -0.5], each class ordered by novelty
 * u = 1 - (mix·mean similarity within the class + (1 - mix)·largest similarity to any response); invalid ones -1.
 * EVOL-RL, "Evolving Language Models without Labels".
 */
export function noveltyRewards(answers: readonly (string | null)[], embeddings: readonly (readonly number[])[], mix: number): number[] {
  const majority = majorityOf(answers);
  const valid = answers.flatMap((answer, i) => (answer === null ? [] : [i]));
  if (answers.length <= 1) return answers.map((answer) => (answer === null ? 0 : 1));
  if (valid.length < answers.length && valid.length <= 1) return answers.map(() => -1);

  const sameClass = (i: number, j: number) => (answers[i] === majority) === (answers[j] === majority);
  const novelty = (i: number) => {
    const others = valid.filter((j) => j !== i);
    const siblings = others.filter((j) => sameClass(i, j));
    const near = (siblings.length > 0 ? siblings : others).map((j) => similarity(embeddings[i]!, embeddings[j]!));
    const nearest = Math.max(...others.map((j) => similarity(embeddings[i]!, embeddings[j]!)));
    return 1 - (mix * (near.reduce((a, b) => a + b, 0) / near.length) + (1 - mix) * nearest);
  };
  const rewards = answers.map(() => -1);
  for (const [isMajority, base, lone] of [
    [true, 0.5, 1],
    [false, -1, -0.5],
  ] as const) {
    const members = valid.filter((i) => (answers[i] === majority) === isMajority);
    const scaled = spread(members.map(novelty));
    members.forEach((i, k) => {
      rewards[i] = members.length === 1 ? lone : base + 0.5 * (scaled[k] ?? 0.5);
    });
  }
  return rewards;
}
