import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  options,
  type Static,
  Type,
} from "@proximal/core";

export const gvmAdvantageOptions = Type.Object({
  estimator: Type.Union([Type.Literal("grpo"), Type.Literal("raft")], {
    default: "grpo",
    description: "grpo: relative to the group; raft: accepted responses only",
  }),
  normalizeByAccepted: Type.Boolean({ default: false, description: "raft: divide by the number of accepted responses of the prompt" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "grpo: added to the std" }),
});

/** max(0, R), optionally divided by the accepted responses of the group; a response is accepted when its reward is above 0. [B] */
export function raftAdvantages(
  rewards: ArrayLike<number>,
  groupRows: readonly ArrayLike<number>[],
  normalizeByAccepted: boolean,
): Float64Array {
  const advantages = Float64Array.from(rewards, (reward) => Math.max(0, reward));
  if (!normalizeByAccepted) return advantages;
  for (const rows of groupRows) {
    const accepted = Array.from(rows).filter((row) => rewards[row]! > 0);
    for (const row of accepted) advantages[row]! /= accepted.length;
  }
  return advantages;
}

/** Credit of groups of any size. GVM-RAFT (2505.02391). */
@advantageEstimator({
  id: "gvm-raft",
  description: "RAFT (accepted responses only) or GRPO on groups of unequal size",
  options: gvmAdvantageOptions,
  reads: ["rewards"],
  writes: ["advantages"],
  conventions: { std: "sample (n - 1)", groupOfOne: "its reward / (1 + stdEps)" },
})
export class GvmAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof gvmAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const { estimator, normalizeByAccepted, stdEps } = this.o;
    const advantages =
      estimator === "raft"
        ? raftAdvantages(rewards, batch.groupRows, normalizeByAccepted)
        : groupNormalize(rewards, batch.groupRows, { ddof: 1, scale: "group", stdEps, groupOfOne: "raw-scaled", advClip: null });
    const accepted = rewards.filter((reward) => reward > 0).length;
    // A list, one entry a row: a typed array as long as there are tokens would be read token by token.
    return { columns: { advantages: [...advantages] }, metrics: { acceptedFraction: accepted / Math.max(1, batch.rows) } };
  }
}
