import { statistics } from "@proximal/core";

export interface ModeFacts {
  /** [B] r_acc, 0 or 1; NaN = unverifiable. */
  correct: ArrayLike<number>;
  /** [B] r_format, 0 or 1. */
  format: ArrayLike<number>;
  /** [B] mode of each response. */
  mode: readonly string[];
  /** [B] its tag was given. */
  forced: ArrayLike<boolean | number>;
}

export interface AdaptiveSettings {
  alpha: number;
  easyThreshold: number;
  successRateOver: string;
  modes: readonly string[];
}

/** Mean of what can be verified; 0 of nothing. */
const rate = (correct: ArrayLike<number>, rows: readonly number[]): number => {
  const known = rows.filter((row) => !Number.isNaN(correct[row]));
  return known.length === 0 ? 0 : statistics.mean(known.map((row) => correct[row]!));
};

/**
 * r = r_acc·r_format·r_adaptive, [B]; r_adaptive = 1 - p^α where the prompt is easy and the mode is not the cheap one, else 1.
 * A prompt is easy when the forced rollouts in the cheap mode succeed more often than τ; p is the success rate of its forced
 * rollouts. `successRate` and `easy` a group, [G]. A²FM (2510.12838).
 */
export function adaptiveRewards(facts: ModeFacts, groupRows: readonly ArrayLike<number>[], o: AdaptiveSettings) {
  const rewards = new Float64Array(facts.correct.length);
  const cheap = o.modes[0]!;
  const groups = groupRows.map((rows) => {
    const list = Array.from(rows);
    const forced = list.filter((row) => Boolean(facts.forced[row]));
    const instant = forced.filter((row) => facts.mode[row] === cheap);
    const easy = rate(facts.correct, instant) > o.easyThreshold;
    const successRate = rate(facts.correct, o.successRateOver === "instantForced" ? instant : forced);
    for (const row of list) {
      const adaptive = easy && facts.mode[row] !== cheap ? 1 - successRate ** o.alpha : 1;
      rewards[row] = facts.correct[row]! * adaptive * facts.format[row]!;
    }
    return { successRate, easy };
  });
  return { rewards, successRate: groups.map((g) => g.successRate), easy: groups.map((g) => g.easy) };
}
