import {
  type Batch,
  ConfigError,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
} from "@proximal/core";

export const icpoRewardOptions = Type.Object({
  bonus: Type.Number({ default: 1, minimum: 0, description: "b: added to a correct steered response at step 0" }),
  anneal: Type.Union([Type.Literal("linear"), Type.Literal("cosine"), Type.Literal("exp")], {
    default: "linear",
    description: "How the bonus decays",
  }),
  annealSteps: Type.Integer({ default: 400, minimum: 1, description: "T: steps until linear and cosine reach 0" }),
  expScale: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "s of exp(-t / s), steps; needed for exp" })),
});

type Anneal = Static<typeof icpoRewardOptions>;

/** Share of the bonus left at step t, 0–1: max(0, 1 - t/T), (1 + cos(π·min(t, T)/T)) / 2 or exp(-t/s). */
export function decay(step: number, { anneal, annealSteps, expScale }: Anneal): number {
  if (anneal === "exp") return Math.exp(-step / expScale!);
  const progress = Math.min(step / annealSteps, 1);
  return anneal === "linear" ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** 1 for a correct response, 1 + b·decay(t) for a correct steered one, else 0; correct = inner reward above one half. [B]. ICPO (2510.26519). */
@rewardModel({
  id: "icpo",
  description: "Correctness with an annealed bonus for correct responses that were sampled behind a demonstration",
  options: icpoRewardOptions,
  // Held-out responses are never steered and carry no such column.
  reads: [{ name: "hinted", optional: true }],
  wraps: true,
})
export class IcpoReward implements RewardModel {
  constructor(@options() private readonly o: Anneal) {
    if (o.anneal === "exp" && o.expScale === undefined) {
      throw new ConfigError('the annealing "exp" needs its scale', { path: "expScale", accepted: "steps above 0" });
    }
  }

  score(batch: Batch, { inner, step }: RewardContext): RewardResult {
    const hinted = batch.has("hinted") ? batch.f64("hinted") : new Float64Array(batch.rows);
    const left = decay(step, this.o);
    const rewards = Array.from(inner!.rewards, (correctness, row) => {
      if (Number.isNaN(correctness)) return null;
      return correctness > 0.5 ? 1 + this.o.bonus * left * hinted[row]! : 0;
    });
    return { rewards, metrics: { decay: left } };
  }
}
