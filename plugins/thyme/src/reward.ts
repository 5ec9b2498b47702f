import { type Batch, options, type RewardModel, type RewardResult, rewardModel, type Services, type Static, Type } from "@proximal/core";

export interface RewardWeights {
  resultWeight: number;
  consistencyWeight: number;
  formatWeight: number;
}

/** R = wr·result + [result > 0]·wc·consistency + wf·format. Thyme (2508.11630). */
export const totalReward = (result: number, consistency: number, format: number, o: RewardWeights): number =>
  o.resultWeight * result + (result > 0 ? o.consistencyWeight * consistency : 0) + o.formatWeight * format;

const FORMAT = /^<think>((?:(?!<\/?(?:think|answer)>)[\s\S])*)<\/think>\s<answer>((?:(?!<\/?(?:think|answer)>)[\s\S])*)<\/answer>$/;

/** 1 = one think span, one whitespace, one answer span, and nothing else. */
export const formatOf = (completion: string): number => Number(FORMAT.test(completion));

/** Text of the last answer span, trimmed; null without one. */
export const answerOf = (completion: string): string | null =>
  [...completion.matchAll(/<answer>([\s\S]*?)<\/answer>/g)].at(-1)?.[1]?.trim() ?? null;

/** The same option letter, number or text. */
export function matches(answer: string, gold: string): boolean {
  const normal = (text: string) =>
    text
      .trim()
      .toLowerCase()
      .replace(/^\(?([a-z])\)?[.:]?$/, "$1");
  const [a, b] = [normal(answer), normal(gold)];
  return a === b || (a !== "" && b !== "" && Number.isFinite(Number(a)) && Number(a) === Number(b));
}

const REASONING_TAIL = 500;
const reasoningOf = (completion: string): string =>
  completion.slice(0, Math.max(0, completion.lastIndexOf("<answer>"))).slice(-REASONING_TAIL);

const weight = (fallback: number, what: string) => Type.Number({ default: fallback, minimum: 0, description: `Weight of ${what}` });

const common = {
  resultWeight: weight(1, "a right answer"),
  formatWeight: weight(0.5, "the format"),
};

export const thymeRewardOptions = Type.Object({
  ...common,
  consistencyWeight: weight(0.5, "an answer that follows from the reasoning, counted with a right answer only"),
});

/** Judge grades as 0 or 1; a failed or unreadable grade is 0. */
async function verdicts(judge: Services["judge"], requests: Parameters<Services["judge"]>[0]): Promise<number[]> {
  return requests.length === 0 ? [] : (await judge(requests)).map((grade) => Number(grade !== null && grade > 0.5));
}

const RESULT_RUBRIC = "Does the answer mean the same as the reference answer?";
const CONSISTENCY_RUBRIC = "Does the final answer follow from the end of the reasoning?";

/** [B] 1 = the answer span matches an accepted answer exactly. */
const exactResults = (batch: Batch): number[] => {
  const golds = batch.json<readonly string[]>("golds");
  return batch.strings("completions").map((completion, row) => {
    const answer = answerOf(completion);
    return Number(answer !== null && golds[row]!.some((gold) => matches(answer, gold)));
  });
};

function outcome(result: readonly number[], consistent: readonly number[], completions: readonly string[], o: RewardWeights): RewardResult {
  const format = completions.map(formatOf);
  return {
    rewards: result.map((r, row) => totalReward(r, consistent[row]!, format[row]!, o)),
    components: { result, consistency: consistent, format },
    columns: { correct: [...result], format },
  };
}

/** Result by exact match, else by a judge; consistency by a judge where the result is right; format by its pattern. Thyme (2508.11630). */
@rewardModel({
  id: "thyme",
  description: "Right answer, answer that follows from the reasoning (counted with a right answer only), and format",
  options: thymeRewardOptions,
  reads: ["completions", "prompts", "golds"],
  writes: ["correct", "format"],
  requires: ["judge"],
})
export class ThymeReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof thymeRewardOptions>) {}

  async score(batch: Batch, { services: { judge } }: { services: Pick<Services, "judge"> }): Promise<RewardResult> {
    const completions = batch.strings("completions");
    const prompts = batch.strings("prompts");
    const golds = batch.json<readonly string[]>("golds");
    const result = exactResults(batch);
    const unclear = [...result.keys()].filter((row) => result[row] === 0 && answerOf(completions[row]!) !== null);
    const judged = await verdicts(
      judge,
      unclear.map((row) => ({
        prompt: prompts[row]!,
        completion: answerOf(completions[row]!)!,
        rubric: RESULT_RUBRIC,
        references: golds[row]!,
      })),
    );
    unclear.forEach((row, i) => {
      result[row] = judged[i]!;
    });
    const right = [...result.keys()].filter((row) => result[row]! > 0);
    const follows = await verdicts(
      judge,
      right.map((row) => ({
        prompt: prompts[row]!,
        completion: `${reasoningOf(completions[row]!)}\nFinal answer: ${answerOf(completions[row]!)}`,
        rubric: CONSISTENCY_RUBRIC,
      })),
    );
    const consistent = result.map(() => 0);
    right.forEach((row, i) => {
      consistent[row] = follows[i]!;
    });
    return outcome(result, consistent, completions, this.o);
  }
}

export const rulesOptions = Type.Object(common);

/** The same without a judge: result by exact match, no consistency. */
@rewardModel({
  id: "thyme-rules",
  description: "Right answer by exact match, and format",
  options: rulesOptions,
  reads: ["completions", "golds"],
  writes: ["correct", "format"],
})
export class ThymeRulesReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof rulesOptions>) {}

  score(batch: Batch): RewardResult {
    const result = exactResults(batch);
    const judged = outcome(
      result,
      result.map(() => 0),
      batch.strings("completions"),
      { ...this.o, consistencyWeight: 0 },
    );
    const golds = batch.json<readonly string[]>("golds");
    return { ...judged, rewards: Array.from(judged.rewards, (reward, row) => (golds[row]!.length === 0 ? null : reward)) };
  }
}
