import {
  type Batch,
  DataError,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
  textPattern,
} from "@proximal/core";
import { type GuiAction, judgedReward, operationReward, parseAction } from "./action.js";

const patterns = {
  actionPattern: Type.String({
    default: "<action>([\\s\\S]*?)</action>",
    description: "Format of an operation; its first group is the action as JSON",
  }),
  understandingPattern: Type.String({
    default: "<answer>([\\s\\S]*?)</answer>",
    description: "Format of an answer about the screen; its first group goes to the judge",
  }),
};

const guiOptions = Type.Object({
  formatWeight: Type.Number({ default: 0.1, minimum: 0, description: "w_f: the output parses" }),
  typeWeight: Type.Number({ default: 0.4, minimum: 0, description: "w_t: the action has the right type" }),
  argumentWeight: Type.Number({ default: 0.5, minimum: 0, description: "w_a: its arguments fit" }),
  judgeWeight: Type.Number({ default: 0.9, minimum: 0, description: "w_j: the judge's grade of an answer about the screen" }),
  ...patterns,
});

type GuiOptions = Static<typeof guiOptions>;

const TASK_KIND = { name: "taskKind", at: "row", dtype: "string" } as const;
export const UNDERSTANDING = "understanding";

/** Rule part of the reward: w_f·F, and for operations type and arguments against the reference action of the record. */
@rewardModel({
  id: "craft-gui",
  description: "Format, type and arguments of a GUI action against a reference action",
  options: guiOptions,
  reads: ["completions", TASK_KIND, { name: "reference", at: "row", dtype: "json" }],
  writes: ["format"],
})
export class GuiReward implements RewardModel {
  private readonly action: RegExp;
  private readonly understanding: RegExp;

  constructor(@options() private readonly o: GuiOptions) {
    this.action = textPattern(o.actionPattern, "actionPattern");
    this.understanding = textPattern(o.understandingPattern, "understandingPattern");
  }

  score(batch: Batch): RewardResult {
    const kinds = batch.strings("taskKind");
    const references = batch.json<GuiAction | null>("reference");
    const format = new Float64Array(batch.rows);
    const rewards = batch.strings("completions").map((text, row) => {
      if (kinds[row] === UNDERSTANDING) {
        format[row] = this.understanding.test(text) ? 1 : 0;
        return this.o.formatWeight * format[row]!;
      }
      const reference = references[row];
      if (reference === null || typeof reference?.type !== "string") {
        throw new DataError('an operation needs a reference action { "type": … } in its record', { path: "reference", given: reference });
      }
      const predicted = parseAction(this.action.exec(text)?.[1] ?? "");
      format[row] = predicted === null ? 0 : 1;
      return operationReward(format[row]!, predicted, reference, this.o);
    });
    return { rewards, components: { format }, columns: { format } };
  }
}

const judgeOptions = Type.Object({
  judgeWeight: guiOptions.properties.judgeWeight,
  understandingPattern: patterns.understandingPattern,
  rubric: Type.String({ default: "Is this answer about the screen right and complete?", description: "What the judge is asked" }),
});

/** Judged part of the reward: w_j·J for well-formed answers about the screen, 0 for operations. */
@rewardModel({
  id: "craft-gui-judge",
  description: "A judge's grade of answers about the screen",
  options: judgeOptions,
  reads: ["completions", "prompts", TASK_KIND],
  requires: ["judge"],
})
export class GuiJudgeReward implements RewardModel {
  private readonly understanding: RegExp;

  constructor(@options() private readonly o: Static<typeof judgeOptions>) {
    this.understanding = textPattern(o.understandingPattern, "understandingPattern");
  }

  async score(batch: Batch, { services }: RewardContext): Promise<RewardResult> {
    const [kinds, texts, prompts] = ["taskKind", "completions", "prompts"].map((name) => batch.strings(name));
    const answers = texts!.map((text, row) => (kinds![row] === UNDERSTANDING ? (this.understanding.exec(text)?.[1] ?? null) : null));
    // A judge is noisy: equal answers of a batch are asked once and earn the same.
    const keyOf = (row: number) => JSON.stringify([prompts![row], answers[row]]);
    const rows = [...new Map(answers.flatMap((answer, row) => (answer === null ? [] : [[keyOf(row), row]]))).values()];
    const grades = await services.judge(rows.map((row) => ({ prompt: prompts![row]!, completion: answers[row]!, rubric: this.o.rubric })));
    const known = new Map(rows.map((row, i) => [keyOf(row), grades[i] ?? null]));
    return {
      rewards: answers.map((answer, row) => {
        if (answer === null) return 0;
        const grade = known.get(keyOf(row))!;
        return grade === null ? null : judgedReward(1, grade, this.o);
      }),
    };
  }
}
