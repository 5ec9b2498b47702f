import {
  type Batch,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { mean, std, take } = statistics;
/** Keeps λ·M from being rounded up by its own rounding error. */
const CEILING_SLACK = 1e-9;

export const lambdaOptions = Type.Object({
  topLambda: Type.Number({ default: 0.2, exclusiveMinimum: 0, maximum: 1, description: "Share of the groups that get the length term" }),
  lengthAlpha: Type.Number({ default: 0.6, minimum: 0, exclusiveMaximum: 1, description: "Strength of the length penalty" }),
  lengthUnit: Type.Union([Type.Literal("tokens"), Type.Literal("characters")], { default: "tokens", description: "What length counts" }),
});

/** The groups with the highest share of correct responses: max(1, ⌈λ·M⌉) of them, ties in batch order. */
export function efficientGroups(accuracy: readonly number[], topLambda: number): Set<number> {
  const count = Math.max(1, Math.ceil(topLambda * accuracy.length - CEILING_SLACK));
  const order = accuracy.map((_, g) => g).sort((a, b) => accuracy[b]! - accuracy[a]! || a - b);
  return new Set(order.slice(0, count));
}

/**
 * In the groups that succeed most: r = 1 - α·σ((L - mean)/std) for a correct response, mean and population std over the
 * group's correct responses; elsewhere r = correctness. Row values [B]. GRPO-λ, "Stable Reinforcement Learning for Efficient
 * Reasoning".
 */
@rewardModel({
  id: "grpo-lambda",
  description: "Rewards short correct responses, but only in the groups of the batch that succeed most",
  options: lambdaOptions,
  reads: ["lengths", "completions"],
  writes: [{ name: "efficiency", at: "row", dtype: "bool" }],
  exceptions: { rowOrder: "of groups that succeed equally often the first ones count" },
  wraps: true,
})
export class LambdaReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof lambdaOptions>) {}

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const correct = inner!.rewards.map((reward) => (reward > 0 ? 1 : 0));
    const lengths = this.o.lengthUnit === "tokens" ? batch.lengths : Int32Array.from(batch.strings("completions"), (text) => text.length);
    const top = efficientGroups(
      batch.groupRows.map((rows) => mean(take(correct, rows))),
      this.o.topLambda,
    );
    const rewards = Float64Array.from(correct);
    for (const g of top) {
      const winners = batch.groupRows[g]!.filter((row) => correct[row] === 1);
      const own = take(lengths, winners);
      const [center, spread] = [mean(own), std(own, 0)];
      for (const row of winners) {
        const z = spread === 0 ? 0 : (lengths[row]! - center) / spread;
        rewards[row] = 1 - this.o.lengthAlpha / (1 + Math.exp(-z));
      }
    }
    const efficiency = batch.group.map((g) => (top.has(g) ? 1 : 0));
    return {
      rewards,
      columns: { efficiency: Uint8Array.from(efficiency) },
      metrics: { efficiencyAccuracy: mean([...top].map((g) => mean(take(correct, batch.groupRows[g]!)))) },
    };
  }
}
