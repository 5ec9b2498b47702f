import {
  type Batch,
  correctOf,
  correctThresholdOption,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
  textPattern,
} from "@proximal/core";

const pGrpoOptions = Type.Object({
  gate: Type.Union([Type.Literal("posterior"), Type.Literal("none")], {
    default: "posterior",
    description: "posterior: the thinking counts only where the outcome is right; none: always (the variant that is hacked)",
  }),
  formatWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the format" }),
  outcomeWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the outcome" }),
  thinkingWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the thinking" }),
  formatPattern: Type.String({
    default: "^\\s*<think>(?:(?!</think>)[\\s\\S])*</think>\\s*<answer>(?:(?!</answer>)[\\s\\S])*</answer>",
    description: "What makes a completion well-formed",
  }),
  thinkingPattern: Type.String({
    default: "<think>([\\s\\S]*?)</think>",
    description: "Its first group is the thinking that the judge sees; the whole completion where it does not match",
  }),
  rubric: Type.String({
    default: "How factually accurate, logically rigorous and coherent is this reasoning?",
    description: "What the judge is asked about the thinking",
  }),
  correctThreshold: correctThresholdOption,
});

export type PGrpoOptions = Static<typeof pGrpoOptions>;
type Weights = Pick<PGrpoOptions, "gate" | "formatWeight" | "outcomeWeight" | "thinkingWeight">;

/** R = w_f·R_f + w_o·R_o + w_t·R_o·R_t; without gate the last term is w_t·R_t. Posterior-GRPO (2508.05170). */
export const posteriorReward = (format: number, outcome: number, thinking: number, o: Weights): number =>
  o.formatWeight * format + o.outcomeWeight * outcome + o.thinkingWeight * (o.gate === "posterior" ? outcome * thinking : thinking);

@rewardModel({
  id: "p-grpo",
  description: "Format, outcome and, where the outcome is right, a judge's grade of the thinking",
  options: pGrpoOptions,
  reads: ["completions", "prompts"],
  writes: ["correct", "format"],
  requires: ["judge"],
  wraps: true,
})
export class PosteriorReward implements RewardModel {
  private readonly wellFormed: RegExp;
  private readonly thinking: RegExp;

  constructor(@options() private readonly o: PGrpoOptions) {
    this.wellFormed = textPattern(o.formatPattern, "formatPattern");
    this.thinking = textPattern(o.thinkingPattern, "thinkingPattern");
  }

  async score(batch: Batch, { inner, services }: RewardContext): Promise<RewardResult> {
    const texts = batch.strings("completions");
    const correct = correctOf(inner!.rewards, this.o.correctThreshold);
    const format = Float64Array.from(texts, (text) => (this.wellFormed.test(text) ? 1 : 0));
    // Under the gate only the thinking of right responses can count: the others are not judged.
    const judged = [...correct.keys()].filter((row) => (this.o.gate === "posterior" ? correct[row] === 1 : !Number.isNaN(correct[row])));
    const grades = await services.judge(
      judged.map((row) => ({
        prompt: batch.strings("prompts")[row]!,
        completion: this.thinking.exec(texts[row]!)?.[1] ?? texts[row]!,
        rubric: this.o.rubric,
      })),
    );
    const thinking = new Float64Array(batch.rows);
    judged.forEach((row, i) => {
      thinking[row] = grades[i] ?? Number.NaN;
    });
    return {
      rewards: correct.map((outcome, row) => posteriorReward(format[row]!, outcome, thinking[row]!, this.o)),
      components: { format, outcome: correct, thinking: thinking.map((grade, row) => (judged.includes(row) ? grade : Number.NaN)) },
      columns: { correct, format },
      metrics: { judged: batch.rows === 0 ? 0 : judged.length / batch.rows },
    };
  }
}
