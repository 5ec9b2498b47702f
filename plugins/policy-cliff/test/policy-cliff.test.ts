import { runReward } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import conformance from "../src/conformance.js";
import { CliffDiagnostic, CliffEntropy, compareRewards, isDegenerate, softMaximum } from "../src/index.js";

testVectors(new URL("../../vectors/policy-cliff.json", import.meta.url), conformance);

testTerms("CliffEntropy", { component: CliffEntropy });

describe("the stability of optimal policies", () => {
  it("jumps with a tiny change of a tie, and hardly moves with entropy", () => {
    const one = { modelWeights: [1], transition: [[[1], [1], [1]]] };
    const result = compareRewards([[[1, 1, 0.2]]], [[[1, 1.01, 0.2]]], one, { alpha: 0.1, gamma: 0, tieTolerance: 1e-6 });
    expect(result.greedyTv).to.deep.equal([0.5]);
    expect(result.softTv[0]).to.be.below(result.bound);
    expect([result.optimalActions1, result.optimalActions2]).to.deep.equal([[[0, 1]], [[1]]]);
  });

  it("never violates the bound, whatever rewards, discount and temperature", () => {
    const [states, actions] = [2, 3];
    const table = fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: actions, maxLength: actions }), {
      minLength: states,
      maxLength: states,
    });
    const models = fc.array(table, { minLength: 2, maxLength: 2 });
    const p = fc.array(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: actions, maxLength: actions }), {
      minLength: states,
      maxLength: states,
    });
    const property = fc.property(
      models,
      models,
      p,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.8, noNaN: true }),
      fc.double({ min: 0.05, max: 2, noNaN: true }),
      (rewards1, rewards2, stay, weight, gamma, alpha) => {
        const transition = stay.map((row) => row.map((q) => [q, 1 - q]));
        const result = compareRewards(
          rewards1,
          rewards2,
          { modelWeights: [weight, 1 - weight], transition },
          { alpha, gamma, tieTolerance: 1e-6 },
        );
        for (const tv of result.softTv) expect(tv).to.be.at.most(result.bound + 1e-9);
        for (const row of result.softPolicy1) expect(row.reduce((a, b) => a + b, 0)).to.be.closeTo(1, 1e-9);
      },
    );
    fc.assert(property, { numRuns: 30 });
  });

  it("takes soft maxima of large values without overflow", () =>
    expect(softMaximum([1e4, 1e4], 0.1)).to.be.closeTo(1e4 + 0.1 * Math.log(2), 1e-9));
});

describe("degeneracy", () => {
  const table: [promise: string, answers: string[], rewards: number[], expected: boolean][] = [
    ["is two answers with the best reward", ["a", "b", "c"], [1, 1, 0], true],
    ["is not one answer given twice", ["a", "a", "c"], [1, 1, 0], false],
    ["compares the means of answers", ["a", "a", "b"], [1, 0, 1], false],
    ["is a group in which everything fails in different ways", ["a", "b"], [0, 0], true],
    ["leaves unverifiable responses out", ["a", "b"], [1, Number.NaN], false],
    ["is not an empty group", [], [], false],
  ];
  for (const [promise, answers, rewards, expected] of table)
    it(promise, () => expect(isDegenerate(answers, rewards, 1e-6)).to.equal(expected));

  it("is reported by the diagnostic, which changes no reward", async () => {
    const { rewards, metrics } = await runReward(
      CliffDiagnostic,
      { rewardNoise: 0.25, alpha: 0.5 },
      { completions: ["4", " 4", "5", "6"], group: [0, 0, 1, 1] },
      { inner: { rewards: [1, 1, 0, Number.NaN] } },
    );
    expect(rewards).to.deep.equal([1, 1, 0, null]);
    expect(metrics).to.deep.equal({ degeneracy: 0, bound: 0.25 });
  });
});
