import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { branchBudget, largestRemainder, splitBudget } from "../src/branching.js";
import conformance from "../src/conformance.js";

testVectors(new URL("../../vectors/treepo.json", import.meta.url), conformance);

describe("TreePO's branching", () => {
  const o = { branching: 2, maxWidth: 16 };
  const budgets: [title: string, live: number, finished: number, now: number, total: number][] = [
    ["doubles while there is room", 4, 0, 0, 8],
    ["hands the branches of finished paths on", 3, 1, 1, 8],
    ["never exceeds the leaves still wanted", 8, 10, 0, 8],
    ["lets every live path go on at least once", 5, 14, 2, 5],
    ["is 0 without live paths", 0, 3, 3, 0],
  ];
  for (const [title, live, finished, now, total] of budgets) {
    it(title, () => expect(branchBudget(live, finished, now, o)).to.equal(total));
  }

  it("splits every budget completely and leaves no path out", () => {
    const logp = [[-3], [-0.1, -0.2], [-1, -1, -1]];
    for (const policy of ["average", "lowProb", "highProb", "lowProbNorm", "highProbNorm"] as const) {
      const split = splitBudget(policy, logp, 11, 0.7);
      expect(split.reduce((a, b) => a + b, 0)).to.equal(11);
      expect(Math.min(...split)).to.be.at.least(1);
    }
  });

  it("gives remainders to the largest fractions, ties to the lowest index", () => {
    expect(largestRemainder([0.25, 0.25, 0.5], 3)).to.deep.equal([1, 1, 1]);
    expect(largestRemainder([1 / 3, 1 / 3, 1 / 3], 4)).to.deep.equal([2, 1, 1]);
  });
});
