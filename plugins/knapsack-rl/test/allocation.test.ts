import { ConfigError } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { type AllocationOptions, allocate } from "../src/allocation.js";
import conformance from "../src/conformance.js";
import { marginalValue, promptValue, rolloutsNeeded } from "../src/value.js";

testVectors(new URL("../../vectors/knapsack-rl.json", import.meta.url), conformance);

const defaults: AllocationOptions = {
  rolloutsPerPrompt: 8,
  minRollouts: 2,
  maxRollouts: 128,
  confidence: 0.9,
  costEstimate: "probability",
  redistributeExcess: true,
};
const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe("the value of rollouts", () => {
  it("is 0 without rollouts, for one, and for prompts that are never or always solved", () => {
    for (const [n, p] of [
      [0, 0.3],
      [1, 0.3],
      [8, 0],
      [8, 1],
    ] as const)
      expect(promptValue(n, p)).to.be.closeTo(0, 1e-16);
  });

  it("rises by ever less", () => {
    for (const p of [0.01, 1 / 3, 0.5, 0.99]) {
      for (let n = 1; n < 60; n++) {
        expect(marginalValue(n, p)).to.be.closeTo(promptValue(n + 1, p) - promptValue(n, p), 1e-15);
        expect(marginalValue(n + 1, p)).to.be.below(marginalValue(n, p));
      }
    }
  });

  it("is largest at a success rate of one third for many rollouts", () => {
    const grid = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
    expect(grid.reduce((best, p) => (promptValue(500, p) > promptValue(500, best) ? p : best))).to.equal(0.33);
  });

  it("says how many rollouts a prompt of success rate 0.01 needs, as published", () => {
    expect(Math.floor(rolloutsNeeded(0.01, { costEstimate: "probability", confidence: 0.9 }))).to.equal(229);
    expect(Math.round(rolloutsNeeded(0.01, { costEstimate: "expectation", confidence: 0.9 }))).to.equal(100);
  });
});

describe("the allocation of rollouts", () => {
  const cases: [
    promise: string,
    rates: (number | null)[],
    options: Partial<AllocationOptions>,
    allocation: number[],
    redistributed: boolean,
  ][] = [
    ["is even while nothing is known", [null, null, null], {}, [8, 8, 8], false],
    ["is even among new and solved prompts", [null, 1, 1], {}, [8, 8, 8], false],
    ["gives new prompts the average", [null, 0.5], { redistributeExcess: false }, [8, 8], false],
    ["gives all that is left to unsolved prompts where nothing else can learn", [0, 1, 0], {}, [11, 2, 11], false],
    ["starts remainders at the lowest index", [0, 1, 0, 0], { rolloutsPerPrompt: 5 }, [6, 2, 6, 6], false],
    ["breaks ties by the lowest index", [0.4, 0.4], { totalBudget: 5 }, [3, 2], false],
    ["sends what is not needed to unsolved prompts", [0.5, 0], { rolloutsPerPrompt: 20 }, [5, 35], true],
    ["or to solved and new ones where all were solved once", [0.5, 1, null], { rolloutsPerPrompt: 20 }, [5, 19, 36], true],
    ["keeps it where every prompt can learn", [0.5, 0.5], { rolloutsPerPrompt: 20 }, [20, 20], true],
    ["keeps it where it is told to", [0.5, 0], { rolloutsPerPrompt: 20, redistributeExcess: false }, [38, 2], false],
    ["goes beyond the cap rather than waste", [0.5, 0.3], { maxRollouts: 4, redistributeExcess: false, totalBudget: 13 }, [7, 6], false],
    [
      "gives fixed shares to solved and unsolved prompts",
      [0, 1, 0.5],
      { zeroRollouts: 4, oneRollouts: 0, redistributeExcess: false },
      [4, 0, 20],
      false,
    ],
  ];
  for (const [promise, rates, options, allocation, redistributed] of cases) {
    it(promise, () => expect(allocate(rates, { ...defaults, ...options })).to.deep.equal({ allocation, redistributed }));
  }

  it("always sums to the budget", () => {
    const rates = [null, 0, 1, 0.01, 0.3, 0.5, 0.9, 0.99, 0, null, 1, 0.125];
    for (const redistributeExcess of [true, false])
      for (const rolloutsPerPrompt of [8, 13, 64])
        for (const maxRollouts of [4, 32, 128]) {
          const { allocation } = allocate(rates, { ...defaults, redistributeExcess, rolloutsPerPrompt, maxRollouts });
          expect(total(allocation)).to.equal(rates.length * rolloutsPerPrompt);
        }
  });

  it("is as good as the best of all allocations", () => {
    const rates = [0.05, 0.4, 0.8];
    const value = (allocation: readonly number[]) => total(allocation.map((n, i) => promptValue(n, rates[i]!)));
    const all: number[][] = [];
    for (let a = 2; a <= 10; a++) for (let b = 2; b <= 10; b++) if (18 - a - b >= 2 && 18 - a - b <= 10) all.push([a, b, 18 - a - b]);
    const { allocation } = allocate(rates, { ...defaults, totalBudget: 18, maxRollouts: 10, redistributeExcess: false });
    expect(value(allocation)).to.be.closeTo(Math.max(...all.map(value)), 1e-15);
  });

  it("raises the expected share of informative groups over an even split, hard prompts first", () => {
    const rates = [0.02, 0.1, 0.5, 0.9, 1];
    const { allocation } = allocate(rates, { ...defaults, rolloutsPerPrompt: 16 });
    const informative = (counts: readonly number[]) => total(counts.map((n, i) => 1 - rates[i]! ** n - (1 - rates[i]!) ** n));
    expect(informative(allocation)).to.be.above(informative([16, 16, 16, 16, 16]));
    expect(Math.min(allocation[0]!, allocation[1]!)).to.be.above(16);
    expect(Math.max(allocation[3]!, allocation[4]!)).to.be.below(16);
  });

  it("refuses fixed shares beyond the budget, and says so", () => {
    expect(() => allocate([0.5, 1], { ...defaults, oneRollouts: 20 })).to.throw(ConfigError, "22 rollouts, more than the budget");
  });
});
