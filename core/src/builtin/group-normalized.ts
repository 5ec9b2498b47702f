import { type Static, Type } from "typebox";
import { advantageEstimator, options } from "../extension/component.js";
import type { AdvantageEstimator, EstimateResult } from "../extension/points.js";
import { type Batch, lossMask } from "../rollout/index.js";
import { constant, mean, std, take } from "./statistics.js";

export const groupNormalizedOptions = Type.Object({
  scale: Type.Union([Type.Literal("group"), Type.Literal("batch"), Type.Literal("none")], {
    default: "group",
    description: "Divide the centred reward by the std of its group, of the whole batch, or not at all",
  }),
  ddof: Type.Union([Type.Literal(0), Type.Literal(1)], { default: 1, description: "Std divides by n - ddof: 1 = sample, 0 = population" }),
  stdEps: Type.Number({ default: 1e-6, minimum: 0, description: "Added to the std" }),
  groupOfOne: Type.Union([Type.Literal("zero"), Type.Literal("raw"), Type.Literal("raw-scaled")], {
    default: "zero",
    description: "Advantage of a response without siblings: 0, its reward, or its reward / (1 + stdEps)",
  }),
  advClip: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: null,
    description: "Advantages are clipped to [-advClip, advClip]; null = off",
  }),
  klCoef: Type.Number({
    default: 0,
    minimum: 0,
    description: "KL to the reference in the reward: a token's advantage loses klCoef times what it and the tokens after it drifted",
  }),
});

/** Those that make an advantage of a reward. */
export type GroupNormalizedOptions = Omit<Static<typeof groupNormalizedOptions>, "klCoef">;

/**
 * A_i = (R_i - mean_g) / (std + stdEps), the same for every token of response i, [B].
 * Shao et al. 2024 (2402.03300), eq. 3. `ddof`, `stdEps`, the set of the std and the group of one differ between
 * implementations: they are options.
 */
export function groupNormalize(
  rewards: ArrayLike<number>,
  groupRows: readonly ArrayLike<number>[],
  o: GroupNormalizedOptions,
): Float64Array {
  const advantages = new Float64Array(rewards.length);
  const batchStd = std(rewards, o.ddof);
  for (const rows of groupRows) {
    const group = take(rewards, rows);
    if (group.length === 1) {
      const raw = group[0]!;
      advantages[rows[0]!] = o.groupOfOne === "zero" ? 0 : o.groupOfOne === "raw" ? raw : raw / (1 + o.stdEps);
      continue;
    }
    const center = mean(group);
    const divisor = o.scale === "none" ? 1 : (o.scale === "batch" ? batchStd : std(group, o.ddof)) + o.stdEps;
    // A constant group has no signal; rounding noise in its mean must not be blown up by a tiny std.
    const still = constant(group);
    group.forEach((reward, i) => {
      advantages[rows[i]!] = still ? 0 : (reward - center) / divisor;
    });
  }
  const limit = o.advClip;
  return limit === null ? advantages : advantages.map((a) => Math.min(Math.max(a, -limit), limit));
}

/** Drift of one token that counts at most, nats. */
const DRIFT_LIMIT = 10;

/**
 * A_t = A - klCoef·Σ_{s ≥ t} (oldLogp_s - refLogp_s), each difference within ±10 nats, over the policy's own tokens: the KL
 * penalty as a reward of every token, without a discount and behind the normalisation. [B, T], one list a row.
 */
export function withKlInReward(batch: Batch, advantages: ArrayLike<number>, klCoef: number): number[][] {
  const [old, reference, mask] = [batch.f64("oldLogp"), batch.f64("refLogp"), lossMask(batch)];
  return Array.from(advantages, (advantage, row) => {
    const [from, to] = [batch.offsets[row]!, batch.offsets[row + 1]!];
    const credit = new Array<number>(to - from).fill(0);
    let drift = 0;
    for (let t = to - 1; t >= from; t--) {
      if (!mask[t]) continue;
      drift += Math.min(Math.max(old[t]! - reference[t]!, -DRIFT_LIMIT), DRIFT_LIMIT);
      credit[t - from] = advantage - klCoef * drift;
    }
    return credit;
  });
}

/** Share of groups whose rewards are all equal. */
export const fracZeroStd = (batch: Batch): number =>
  batch.groups === 0 ? 0 : batch.groupRows.filter((rows) => constant(take(batch.f64("rewards"), rows))).length / batch.groups;

@advantageEstimator({
  id: "group-normalized",
  description: "Reward relative to the mean of its group, divided by the standard deviation",
  options: groupNormalizedOptions,
  reads: ["rewards", ...(["mask", "oldLogp", "refLogp"] as const).map((name) => ({ name, unless: { klCoef: 0 } }))],
  writes: ["advantages"],
  conventions: { std: "sample (n - 1) unless ddof is 0", groupOfOne: "0 unless groupOfOne says otherwise" },
})
export class GroupNormalizedAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof groupNormalizedOptions>) {}

  estimate(batch: Batch): EstimateResult {
    const advantages = groupNormalize(batch.f64("rewards"), batch.groupRows, this.o);
    const { klCoef } = this.o;
    return { columns: { advantages: klCoef === 0 ? [...advantages] : withKlInReward(batch, advantages, klCoef) } };
  }
}
