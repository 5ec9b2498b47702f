import {
  type DataState,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type Static,
  sampler,
  Type,
} from "@proximal/core";
import { budgetOptions, lengthBudget } from "./budget.js";

export const budgetSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  ...budgetOptions.properties,
  budgetTemplate: Type.String({
    default: "{prompt}\nUse exactly {budget} tokens.",
    description: "The prompt that names the budget, rounded to whole tokens",
  }),
});

/** Independent groups whose prompts name the step's token budget. Train Long, Think Short (2508.08940). */
@sampler({
  id: "curriculum-grpo",
  description: "Groups of independent responses to prompts that name a token budget; the budget shrinks over the run",
  options: budgetSamplerOptions,
  writes: [{ name: "lengthBudget", at: "row", dtype: "f64" }],
  provides: ["group-of-equal-prompts"],
})
export class BudgetSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof budgetSamplerOptions>) {
    super();
  }

  protected override plan(context: SampleContext<DataState>): { groups: PlannedGroup[]; state: DataState } {
    const { groups, state } = super.plan(context);
    const budget = String(Math.round(lengthBudget(context.step, this.settings)));
    const named = (text: string) => this.settings.budgetTemplate.replace("{prompt}", () => text).replace("{budget}", budget);
    return { state, groups: groups.map(({ prompt, count }) => ({ count, prompt: context.prompts.derive(prompt, named(prompt.text)) })) };
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const budget = lengthBudget(context.step, this.settings);
    const groups = await super.rollout(planned, context);
    return groups.map(({ prompt, trajectories }) => ({
      prompt,
      trajectories: trajectories.map((t) => ({ ...t, columns: { ...t.columns, lengthBudget: budget } })),
    }));
  }
}
