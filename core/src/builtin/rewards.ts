import { type Static, Type } from "typebox";
import { type ColumnReference, options, rewardModel } from "../extension/component.js";
import type { RewardModel, RewardResult } from "../extension/points.js";
import type { Batch } from "../rollout/index.js";
import { textPattern } from "./pattern.js";

const scores = {
  correct: Type.Number({ default: 1, description: "Reward of a right answer" }),
  wrong: Type.Number({ default: 0, description: "Reward of a wrong answer" }),
};

/** Columns that `answerTexts` reads. */
export const ANSWER_COLUMNS = ["completions", { name: "lastTurn", optional: true }] as const satisfies readonly ColumnReference[];

/** [B] What counts as the policy's answer: its last turn where it had several, else the completion. No tool's output is in it. */
export const answerTexts = (batch: Batch): readonly string[] => batch.strings(batch.has("lastTurn") ? "lastTurn" : "completions");

/** Scores each answer against its golds; null where a row has none. */
function scoreGolds(batch: Batch, o: { correct: number; wrong: number }, matches: (answer: string, gold: string) => boolean): RewardResult {
  const golds = batch.json<readonly string[]>("golds");
  const rewards = answerTexts(batch).map((text, row) => {
    const accepted = golds[row]!;
    if (accepted.length === 0) return null;
    return accepted.some((gold) => matches(text, gold)) ? o.correct : o.wrong;
  });
  return { rewards };
}

const exactMatchOptions = Type.Object({
  ...scores,
  ignoreCase: Type.Boolean({ default: false, description: "Compare without regard to case" }),
});

@rewardModel({
  id: "exact-match",
  description: "The whole completion (of several turns the last one), trimmed, equals an accepted answer",
  options: exactMatchOptions,
  reads: [...ANSWER_COLUMNS, "golds"],
})
export class ExactMatchReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof exactMatchOptions>) {}

  score(batch: Batch): RewardResult {
    const normal = (text: string) => (this.o.ignoreCase ? text.trim().toLowerCase() : text.trim());
    return scoreGolds(batch, this.o, (text, gold) => normal(text) === normal(gold));
  }
}

const numericOptions = Type.Object({
  ...scores,
  tolerance: Type.Number({ default: 1e-9, minimum: 0, description: "Largest accepted difference, relative to max(1, |gold|)" }),
});

const NUMBER = /[-+]?(?:\d[\d,]*)?\.?\d+(?:[eE][-+]?\d+)?/g;

/** The last number in a text, thousands commas allowed; null when there is none. */
export function lastNumber(text: string): number | null {
  const found = text.match(NUMBER)?.at(-1);
  return found === undefined ? null : Number(found.replaceAll(",", ""));
}

@rewardModel({
  id: "numeric",
  description: "The last number of the completion (of several turns the last one) equals the last number of an accepted answer",
  options: numericOptions,
  reads: [...ANSWER_COLUMNS, "golds"],
})
export class NumericReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof numericOptions>) {}

  score(batch: Batch): RewardResult {
    return scoreGolds(batch, this.o, (text, gold) => {
      const [given, wanted] = [lastNumber(text), lastNumber(gold)];
      return given !== null && wanted !== null && Math.abs(given - wanted) <= this.o.tolerance * Math.max(1, Math.abs(wanted));
    });
  }
}

const formatOptions = Type.Object({
  ...scores,
  pattern: Type.String({ description: "Regular expression that the completion must match, e.g. ^<think>[\\s\\S]*</think>" }),
});

@rewardModel({
  id: "format",
  description: "The completion matches a regular expression",
  options: formatOptions,
  reads: ["completions"],
})
export class FormatReward implements RewardModel {
  private readonly pattern: RegExp;

  constructor(@options() private readonly o: Static<typeof formatOptions>) {
    this.pattern = textPattern(o.pattern, "pattern");
  }

  score(batch: Batch): RewardResult {
    return { rewards: batch.strings("completions").map((text) => (this.pattern.test(text) ? this.o.correct : this.o.wrong)) };
  }
}
