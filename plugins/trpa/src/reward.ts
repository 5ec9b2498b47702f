import { type Batch, ConfigError, options, type RewardModel, type RewardResult, rewardModel, type Static, Type } from "@proximal/core";
import { preferenceLevel, type Verdict } from "./level.js";

export const trpaRewardOptions = Type.Object({
  formatPattern: Type.String({
    default: "^\\s*<think>[\\s\\S]*?</think>\\s*<answer>[\\s\\S]*?</answer>\\s*$",
    description: "Regular expression of a completion in the right format",
  }),
  answerPattern: Type.String({
    default: "<answer>([\\s\\S]*?)</answer>",
    description: "Regular expression whose first group is the answer, compared without surrounding white space",
  }),
});

/** Column with one truth value a response; what it does not say (null) is judged from the text. */
const optional = (name: "format" | "parsed" | "correct") => ({ name, at: "row", dtype: "f64", optional: true }) as const;

/**
 * Preference levels of responses, [B]. Format, parse and correctness come from the columns `format`, `parsed` and `correct`
 * where a component or the data set fills them, else from the text. The scalar reward, for reports, is 1 at level 1, else 0.
 */
@rewardModel({
  id: "trpa",
  description: "Preference level of each response: right, wrong, no answer, wrong format",
  options: trpaRewardOptions,
  reads: ["completions", "golds", optional("format"), optional("parsed"), optional("correct")],
  writes: [{ name: "preferenceLevel", at: "row", dtype: "i32" }],
})
export class PreferenceLevelReward implements RewardModel {
  private readonly format: RegExp;
  private readonly answer: RegExp;

  constructor(@options() o: Static<typeof trpaRewardOptions>) {
    this.format = pattern(o.formatPattern, "formatPattern");
    this.answer = pattern(o.answerPattern, "answerPattern");
  }

  score(batch: Batch): RewardResult {
    const levels = Array.from({ length: batch.rows }, (_, row) => {
      const verdict = this.verdict(batch, row);
      return verdict === null ? null : preferenceLevel(verdict);
    });
    const count = (level: number) => levels.filter((other) => other === level).length / Math.max(1, batch.rows);
    return {
      rewards: levels.map((level) => (level === null ? null : level === 1 ? 1 : 0)),
      columns: { preferenceLevel: levels.map((level) => level ?? 0) },
      metrics: { right: count(1), wrong: count(2), unparsed: count(3), malformed: count(4) },
    };
  }

  /** null where correctness would decide and nothing tells it. */
  private verdict(batch: Batch, row: number): Verdict | null {
    const stated = (name: string) => {
      const value = batch.has(name) ? batch.f64(name)[row]! : Number.NaN;
      return Number.isNaN(value) ? undefined : value > 0.5;
    };
    const text = () => batch.strings("completions")[row]!;
    const format = stated("format") ?? this.format.test(text());
    const answer = () => this.answer.exec(text())?.[1]?.trim() ?? "";
    const parsed = stated("parsed") ?? (format && answer() !== "");
    const accepted = () => batch.json<readonly string[]>("golds")[row]!;
    const correct = stated("correct") ?? (format && parsed ? among(answer(), accepted()) : false);
    return correct === null ? null : { format, parsed, correct };
  }
}

/** null without accepted answers. */
const among = (answer: string, golds: readonly string[]): boolean | null =>
  golds.length === 0 ? null : golds.some((gold) => gold.trim() === answer);

function pattern(source: string, option: string): RegExp {
  try {
    return new RegExp(source, "u");
  } catch (cause) {
    throw new ConfigError(`reward "trpa": "${source}" is no regular expression`, { path: option, cause });
  }
}
