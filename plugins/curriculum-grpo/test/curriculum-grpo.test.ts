import { completeOptions, runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import type { BudgetOptions } from "../src/budget.js";
import conformance from "../src/conformance.js";
import { BudgetSampler, CurriculumReward, hasSpans, lengthBudget, lengthReward } from "../src/index.js";

testVectors(new URL("../../vectors/curriculum-grpo.json", import.meta.url), conformance);

const budget = (step: number, options: object = {}) =>
  lengthBudget(step, completeOptions(CurriculumReward, { ...options }) as unknown as BudgetOptions);

describe("the budget", () => {
  const table: [promise: string, step: number, options: object, expected: number][] = [
    ["starts at its initial value", 0, {}, 256],
    ["drops only at the end of an interval", 149, {}, 256],
    ["is the paper's 87.8 after three drops", 450, {}, 256 * 0.7 ** 3],
    ["never falls below one token", 1e5, {}, 1],
    ["falls in equal steps when linear", 300, { schedule: "linear" }, 256 - (169 * 2) / 3],
    ["stays after the last linear drop", 9999, { schedule: "linear" }, 87],
    ["can be constant", 9999, { schedule: "constant" }, 256],
  ];
  for (const [promise, step, options, expected] of table) it(promise, () => expect(budget(step, options)).to.be.closeTo(expected, 1e-9));

  it("has the same defaults in the sampler", () => {
    const [inReward, inSampler] = [completeOptions(CurriculumReward), completeOptions(BudgetSampler)];
    for (const name of ["schedule", "initialBudget", "finalBudget", "decay", "interval", "drops"])
      expect(inSampler[name], name).to.equal(inReward[name]);
  });
});

describe("the length reward", () => {
  const table: [shape: "triangle" | "band", length: number, expected: number][] = [
    ["triangle", 0, 0],
    ["triangle", 50, 0.5],
    ["triangle", 100, 1],
    ["triangle", 150, 0.5],
    ["triangle", 200, 0],
    ["triangle", 201, 0],
    ["band", 0, 1],
    ["band", 100, 1],
    ["band", 150, 0.5],
  ];
  for (const [lengthShape, length, expected] of table)
    it(`of ${length} tokens at a budget of 100 is ${expected} (${lengthShape})`, () =>
      expect(lengthReward(length, 100, { lengthShape, maxLengthReward: 1 })).to.equal(expected));
});

describe("the format", () => {
  const table: [promise: string, text: string, think: boolean, answer: boolean][] = [
    ["accepts one span of each", "<think>a</think><answer>b</answer>", true, true],
    ["refuses two spans", "<think>a</think><think>b</think><answer>c</answer>", false, true],
    ["refuses an open span", "<think>a<answer>b</answer>", false, true],
    ["refuses a span that closes before it opens", "</think><think>", false, false],
    ["refuses spans that overlap", "<think>a<answer>b</think></answer>", false, false],
  ];
  for (const [promise, text, think, answer] of table)
    it(promise, () => expect(hasSpans(text, "think", "answer")).to.deep.equal([think, answer]));
});

describe("CurriculumReward", () => {
  const specs = { lengthBudget: { at: "row", dtype: "f64" } } as const;
  const scored = (inputs: object, step: number) =>
    runReward(
      CurriculumReward,
      {},
      { completions: ["a", "b"], lengths: [64, 128], ...inputs },
      { inner: { rewards: [1, 0] }, step, specs },
    );

  it("follows the budget of the step, or the one that the sampler wrote into the prompt", async () => {
    expect((await scored({}, 0)).lengthReward).to.deep.equal([0.25, 0.5]);
    expect((await scored({ lengthBudget: [64, 64] }, 0)).lengthReward).to.deep.equal([1, 0]);
  });
});
