import { instantiate, type Options, runTerms, runUpdate } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { type DualState, R2vpoGate } from "../src/gate.js";

testVectors(new URL("../../vectors/r2vpo.json", import.meta.url), conformance);

const lambda = (value: number): DualState => ({ version: 1, lambda: value });

testTerms("R2vpoGate, token ratios", { component: R2vpoGate, state: lambda(0.7) });
testTerms("R2vpoGate, sequence ratios", { component: R2vpoGate, options: { level: "sequence" }, state: lambda(0.7) });
testTerms("R2vpoGate, sequence sums", {
  component: R2vpoGate,
  options: { aggregation: "seq-mean-token-sum" },
  state: lambda(0.7),
});

const ln = Math.log;

describe("R2VPO's effective advantage A - 2λ(r - 1)", () => {
  const cases: [promise: string, ratio: number, advantage: number, lambda: number, push: number][] = [
    ["a token with A > 0 beyond PPO's clip keeps its push", 1.5, 1, 0.04, 1.5 * (1 - 0.04)],
    ["a token without advantage is pulled back to r = 1", 1.5, 0, 0.5, 1.5 * -0.5],
    ["λ = 0 gives the importance-weighted policy gradient", 3, -2, 0, 3 * -2],
    ["on-policy it is the plain policy gradient", 1, 0.7, 5, 0.7],
  ];
  for (const [promise, ratio, advantage, value, push] of cases) {
    it(promise, () => {
      const inputs = { logp: [[ln(ratio) - 1]], oldLogp: [[-1]], advantages: [advantage] };
      const { gradLogp } = runTerms({ component: R2vpoGate, state: lambda(value) }, inputs);
      expect(gradLogp[0]![0]).to.be.closeTo(-push, 1e-12);
    });
  }

  it("an empty response is left out of the ratios and of their mean", async () => {
    const full = { logp: [[-1.2, -0.4]], oldLogp: [[-1, -0.5]], advantages: [1] };
    const withEmpty = { logp: [[-1.2, -0.4], []], oldLogp: [[-1, -0.5], []], advantages: [1, -1] };
    for (const level of ["token", "sequence"]) {
      const term = { component: R2vpoGate, options: { level } };
      const [a, b] = [await runUpdate(term, full), await runUpdate(term, withEmpty)];
      expect(b.loss).to.be.closeTo(a.loss, 1e-12);
      expect(b.state).to.deep.equal(a.state);
    }
  });

  it("the budget is taken off once, however long the responses are", () => {
    const inputs = { logp: [[-1, -1, -1], [-1]], oldLogp: [[-1, -1, -1], [-1]], advantages: [0, 0] };
    const options = { aggregation: "seq-mean-token-sum", delta: 0.3 };
    expect(runTerms({ component: R2vpoGate, options, state: lambda(2) }, inputs).loss).to.be.closeTo(-2 * 0.3, 1e-12);
  });
});

describe("R2VPO's multiplier", () => {
  const cases: [promise: string, before: number, variance: number, options: Options, after: number][] = [
    ["rises above the budget", 0.04, 0.24, {}, 0.04 + 0.1 * 0.2],
    ["falls below it", 0.04, 0.03, {}, 0.04 - 0.1 * 0.01],
    ["stops at 0", 0.001, 0, {}, 0],
    ["stops at lambdaMax", 9.99, 5, {}, 10],
    ["stays with dualStep 0", 0.04, 5, { dualStep: 0 }, 0.04],
  ];
  for (const [promise, before, variance, options, after] of cases) {
    it(promise, () => {
      const gate = instantiate(R2vpoGate, options);
      const outcome = { observed: { ratioVariance: Float64Array.of(variance) }, state: lambda(before) };
      expect(gate.afterUpdate(outcome as never).lambda).to.be.closeTo(after, 1e-15);
    });
  }

  it("stays when every update was skipped", () => {
    expect(instantiate(R2vpoGate).afterUpdate({ observed: {}, state: lambda(0.3) } as never)).to.deep.equal(lambda(0.3));
  });

  it("starts at lambdaInit and survives a checkpoint", async () => {
    const inputs = { logp: [[-1.3, -0.2]], oldLogp: [[-1, -0.5]], advantages: [1] };
    const { state } = await runUpdate({ component: R2vpoGate, options: { lambdaInit: 0.5 } }, inputs);
    const restored = JSON.parse(JSON.stringify(state));
    const loss = (value: unknown) => runTerms({ component: R2vpoGate, state: value as DualState }, inputs).loss;
    expect(instantiate(R2vpoGate, { lambdaInit: 0.5 }).initialState()).to.deep.equal(lambda(0.5));
    expect(loss(restored)).to.equal(loss(state));
  });
});
