import { instantiate } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { BudgetSampler } from "../src/index.js";

describe("BudgetSampler", () => {
  const table: [step: number, prompt: string, budget: number][] = [
    [0, "p0 in 10", 10],
    [5, "p0 in 8", 7.5],
  ];
  for (const [step, prompt, budget] of table) {
    it(`writes the budget of step ${step} into the prompt, rounded, and keeps it exact for the reward`, async () => {
      const options = {
        initialBudget: 10,
        decay: 0.75,
        interval: 5,
        budgetTemplate: "{prompt} in {budget}",
        shuffle: false,
        promptsPerStep: 1,
      };
      const sampler = instantiate(BudgetSampler, { ...options, groupSize: 2 });
      const specs = { lengthBudget: { at: "row", dtype: "f64" } } as const;
      const { batch } = await sampler.collect(sampleContext({ state: sampler.initialState(), step, specs }));
      expect(batch.strings("prompts")).to.deep.equal([prompt, prompt]);
      expect([...batch.f64("lengthBudget")]).to.deep.equal([budget, budget]);
    });
  }
});
