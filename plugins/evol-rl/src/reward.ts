import {
  type Batch,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
} from "@proximal/core";
import { boxedAnswer, finalText } from "./answers.js";
import { majorityOf, noveltyRewards } from "./novelty.js";

export const evolOptions = Type.Object({
  noveltyMix: Type.Number({
    default: 0.5,
    minimum: 0,
    maximum: 1,
    description: "Weight of the mean similarity within the class; the rest is the largest similarity",
  }),
  requireDigit: Type.Boolean({ default: true, description: "A boxed answer must hold a digit" }),
});

/** Label-free reward: the group's majority answer is right, novelty orders the responses within right and wrong. */
@rewardModel({
  id: "evol-rl",
  description: "Majority vote of the group as label, novelty of the reasoning as order within the classes",
  options: evolOptions,
  reads: ["completions"],
  writes: ["answers"],
  requires: ["embed"],
})
export class EvolReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof evolOptions>) {}

  async score(batch: Batch, { services }: RewardContext): Promise<RewardResult> {
    const texts = batch.strings("completions").map(finalText);
    const answers = texts.map((text) => boxedAnswer(text, this.o.requireDigit));
    const embeddings = await services.embed(texts);
    const { rewards, majorityShare } = this.rewards(batch, answers, embeddings);
    return { rewards, columns: { answers: answers.map((answer) => answer ?? "") }, metrics: { majorityShare, valid: share(answers) } };
  }

  /** Rewards and mean vote share of the majority, from answers and embeddings of all rows. */
  rewards(batch: Batch, answers: readonly (string | null)[], embeddings: readonly (readonly number[])[]) {
    const rewards = new Float64Array(batch.rows);
    const majority: (string | null)[] = [];
    let votes = 0;
    for (const rows of batch.groupRows) {
      const own = Array.from(rows, (row) => answers[row]!);
      majority.push(majorityOf(own));
      votes += own.filter((answer) => answer !== null && answer === majority.at(-1)).length;
      noveltyRewards(
        own,
        Array.from(rows, (row) => embeddings[row]!),
        this.o.noveltyMix,
      ).forEach((reward, i) => {
        rewards[rows[i]!] = reward;
      });
    }
    return { rewards, majority, majorityShare: batch.rows === 0 ? 0 : votes / batch.rows };
  }
}

const share = (answers: readonly (string | null)[]): number =>
  answers.length === 0 ? 0 : answers.filter((answer) => answer !== null).length / answers.length;
