import { completeOptions, defineConformance } from "@proximal/core";
import { type BudgetOptions, lengthBudget } from "./budget.js";
import { type CurriculumFacts, type CurriculumOptions, CurriculumReward, curriculumRewards } from "./reward.js";

export default defineConformance({
  reward: (options, inputs) => {
    const o = completeOptions(CurriculumReward, options) as unknown as BudgetOptions & CurriculumOptions;
    const facts = inputs as unknown as CurriculumFacts;
    const budget = lengthBudget(inputs.step as number, o);
    const parts = curriculumRewards(facts, new Float64Array(facts.lengths.length).fill(budget), o);
    return { lengthBudget: budget, ...Object.fromEntries(Object.entries(parts).map(([name, values]) => [name, [...values]])) };
  },
});
