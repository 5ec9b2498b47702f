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
import { boxedText, type EtconGrade, grade } from "./grade.js";

export const etconOptions = Type.Object({
  formatWeight: Type.Number({ default: 0.05, minimum: 0, description: "Weight of the format" }),
  correctnessWeight: Type.Number({ default: 0.7, minimum: 0, description: "Weight of the boxed answer" }),
  cleanlinessWeight: Type.Number({ default: 0.15, minimum: 0, description: "Weight of a clean ending: one answer, nothing behind it" }),
  consistencyWeight: Type.Number({ default: 0.1, minimum: 0, description: "Weight of calling the old fact outdated" }),
  semanticThreshold: Type.Number({
    default: 0.85,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "Similarity from which on an answer earns 0.4 to 0.6",
  }),
});

const OLD_KNOWLEDGE = { name: "oldKnowledge", at: "row", dtype: "json", optional: true } as const;
const PARTS = ["formatScore", "correctness", "cleanliness", "consistency"] as const;

/** Reward of an answer that consolidates an edited fact. Column `oldKnowledge`: the fact before the edit, or null. */
@rewardModel({
  id: "etcon",
  description: "Format, correctness, cleanliness and consistency of an answer about an edited fact",
  options: etconOptions,
  reads: ["completions", "golds", OLD_KNOWLEDGE],
})
export class EtconReward implements RewardModel {
  constructor(@options() protected readonly o: Static<typeof etconOptions>) {}

  /** Similarity of each row's boxed with its gold answer; null = not available. */
  protected async similarities(batch: Batch, _context: RewardContext): Promise<(number | null)[]> {
    return new Array<null>(batch.rows).fill(null);
  }

  async score(batch: Batch, context: RewardContext): Promise<RewardResult> {
    const golds = batch.json<readonly string[]>("golds");
    const old = batch.has("oldKnowledge") ? batch.json<string | null>("oldKnowledge") : [];
    const similarity = await this.similarities(batch, context);
    const grades = batch.strings("completions").map((text, row) => grade(text, golds[row]!, old[row] ?? null, similarity[row]!, this.o));
    const column = (name: keyof EtconGrade) => grades.map((g) => g[name]);
    return { rewards: column("reward"), components: Object.fromEntries(PARTS.map((name) => [name, column(name)])) };
  }
}

/** The same with the embedding similarity of boxed and first gold answer. */
@rewardModel({
  id: "etcon-semantic",
  description: "EtCon's reward with partial credit for answers of similar meaning",
  options: etconOptions,
  reads: ["completions", "golds", OLD_KNOWLEDGE],
  requires: ["embed"],
})
export class SemanticEtconReward extends EtconReward {
  protected override async similarities(batch: Batch, { services }: RewardContext): Promise<(number | null)[]> {
    const golds = batch.json<readonly string[]>("golds");
    const boxed = batch.strings("completions").map(boxedText);
    const rows = boxed.flatMap((text, row) => (text === null || golds[row]!.length === 0 ? [] : [row]));
    const vectors = await services.embed(rows.flatMap((row) => [boxed[row]!, golds[row]![0]!]));
    const result = new Array<number | null>(batch.rows).fill(null);
    rows.forEach((row, i) => {
      const [a, b] = [vectors[2 * i]!, vectors[2 * i + 1]!];
      result[row] = a.reduce((sum, x, k) => sum + x * b[k]!, 0);
    });
    return result;
  }
}
