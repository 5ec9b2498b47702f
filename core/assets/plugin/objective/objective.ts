import { type Context, type Objective, objective, options, type Static, type Term, Type } from "@proximal/core";

const objectiveOptions = Type.Object({
  baseline: Type.Boolean({ default: true, description: "Rewards count relative to the mean of their group" }),
});

/** -(R_i - mean_g R)·mean_t logp, mean over responses, [B, 1]: REINFORCE with the group's mean as baseline. Williams 1992, eq. 11. */
@objective({
  id: "my-slug",
  description: "Policy gradient on the mean log-prob of each response, against the mean of its group",
  options: objectiveOptions,
  reads: ["logp", "rewards"],
  conventions: { ratioAnchor: "none, on-policy only", std: "none", aggregation: "mean over responses of the token mean" },
})
export class MySlugObjective implements Objective {
  constructor(@options() private readonly o: Static<typeof objectiveOptions>) {}

  terms(context: Context): Term {
    const { rewards, logp } = context;
    const advantages = this.o.baseline ? rewards.sub(context.groupMean(rewards)) : rewards;
    return { value: advantages.mul(context.sequenceMean(logp)).neg(), aggregation: "row-mean" };
  }
}
