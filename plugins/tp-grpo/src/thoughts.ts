const LABELS = ["correct", "incorrect", "matched", "uncertain"] as const;
export type Label = (typeof LABELS)[number];

/** A step of a solution, or consecutive steps of one label (a thought). */
export interface Span {
  /** Of a right solution: correct or incorrect. Of a wrong one: matched (agrees with its answer) or uncertain. */
  label: Label;
  /** Tokens. */
  length: number;
}

/** Consecutive steps of one label become one thought. */
export function merged(steps: readonly Span[]): Span[] {
  const thoughts: Span[] = [];
  for (const { label, length } of steps) {
    const last = thoughts.at(-1);
    if (last?.label === label) thoughts[thoughts.length - 1] = { label, length: last.length + length };
    else thoughts.push({ label, length });
  }
  return thoughts;
}

/**
 * Advantage of each token of one solution: the outcome advantage r plus the process rewards of all thoughts that end at or after
 * the token; the last thought has none. With alternating labels this is r in correct and matched thoughts, r - r_c in incorrect
 * ones and 0 in uncertain ones. TP-GRPO (2507.23317), propositions 1 and 2.
 */
export function thoughtAdvantages(thoughts: readonly Span[], outcome: number, processReward: number): Float64Array {
  const rewardOf: Record<Label, number> = { correct: processReward, incorrect: -processReward, matched: outcome, uncertain: -outcome };
  const result = new Float64Array(thoughts.reduce((sum, { length }) => sum + length, 0));
  let end = result.length;
  let advantage = outcome;
  thoughts.toReversed().forEach(({ label, length }, fromLast) => {
    if (fromLast > 0) advantage += rewardOf[label];
    result.fill(advantage, end - length, end);
    end -= length;
  });
  return result;
}
