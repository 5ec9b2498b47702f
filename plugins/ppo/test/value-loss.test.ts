import { ClipGate, runTerms, ValueLoss } from "@proximal/core";
import { testTerms } from "@proximal/core/testing";
import { expect } from "chai";

testTerms("PPO's loss: dual clip and value loss", [{ component: ClipGate, options: { dualClip: 3 } }, { component: ValueLoss }]);
testTerms("the value loss as a mean over sequences", { component: ValueLoss, options: { aggregation: "seq-mean-token-mean" } });

describe("the value loss, ½·max of two squares", () => {
  const cases: [promise: string, value: number, oldValue: number, target: number, loss: number, gradient: number][] = [
    ["inside the clip it is the plain square", 0.1, 0, 1, 0.405, -0.9],
    ["beyond the clip, moving towards the target: clipped, no gradient", 0.5, 0, 1, 0.32, 0],
    ["beyond the clip, moving away from it: the plain square", -0.5, 0, 1, 1.125, -1.5],
    ["at the edge of the clip the plain square keeps the gradient", 0.25, 0.05, 1, 0.28125, -0.75],
  ];
  for (const [promise, value, oldValue, target, loss, gradient] of cases) {
    it(promise, () => {
      const inputs = { values: [[value]], oldValues: [[oldValue]], returns: [[target]] };
      const outcome = runTerms({ component: ValueLoss, options: { valueCoef: 1 } }, inputs);
      expect(outcome.loss).to.be.closeTo(loss, 1e-12);
      expect(outcome.gradValues[0]![0]).to.be.closeTo(gradient, 1e-12);
    });
  }
});
