import { type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { FiberGate } from "../src/index.js";

testVectors(new URL("../../vectors/fiberpo.json", import.meta.url), conformance);

// Budgets around the deviations of the random batch: some channels pass, some are rolled back, some zeroed.
testTerms("FiberGate", { component: FiberGate });
testTerms("FiberGate, wide budgets", { component: FiberGate, options: { budgetPos: 0.3, budgetNeg: 0.3, logClip: 0.3 } });
testTerms("FiberGate, apc", { component: FiberGate, options: { variant: "apc" } });
testTerms("FiberGate, domain", { component: FiberGate, options: { variant: "domain" } });

/** One response with log-ratios `d`. */
const response = (d: readonly number[], advantage = 1) => ({
  logp: [d.map((x) => x - 3)],
  oldLogp: [d.map(() => -3)],
  advantages: [advantage],
});
const run = (options: Options, inputs: Parameters<typeof runTerms>[1]) => runTerms({ component: FiberGate, options }, inputs);

describe("FiberPO's gated ratio", () => {
  const unclipped: Options[] = [
    { variant: "fiberpo", budgetPos: 9, budgetNeg: 9, logClip: 9 },
    { variant: "apc", delta: 9 },
    { variant: "domain", logClipDomain: 9, logClipGroup: 9, logClipTrajectory: 9, logClip: 9 },
  ];
  for (const options of unclipped) {
    it(`is the plain ratio while nothing saturates (${options.variant})`, () => {
      const d = [0.4, -0.3, 0, 0.1];
      const { loss, gradLogp } = run(options, response(d, 0.7));
      expect(loss).to.be.closeTo(-0.7 * (d.reduce((sum, x) => sum + Math.exp(x), 0) / 4), 1e-12);
      gradLogp[0]!.forEach((g, t) => {
        expect(g).to.be.closeTo((-0.7 * Math.exp(d[t]!)) / 4, 1e-12);
      });
    });

    it(`gives the plain policy gradient on-policy (${options.variant})`, () => {
      const { gradLogp } = run({ variant: options.variant }, response([0, 0], -2));
      expect(gradLogp[0]).to.deep.equal([1, 1]);
    });
  }

  const regimes: [promise: string, d: number[], regime: [string, string]][] = [
    ["a response at its budget passes", [0.25, 0.25], ["pass", "pass"]],
    ["one beyond it is rolled back", [0.3, 0.3], ["rollback", "pass"]],
    ["one beyond (1 + 1/T) times it is zeroed", [0.375, 0.375], ["zeroed", "pass"]],
    ["rises and falls have budgets of their own", [0.52, -0.52], ["rollback", "zeroed"]],
    ["a response without tokens passes", [], ["pass", "pass"]],
  ];
  for (const [promise, d, regime] of regimes) {
    it(promise, async () => {
      const { regime: actual } = (await conformance.gate!({ budgetPos: 0.25, budgetNeg: 0.125 }, response(d))) as { regime: string[][] };
      expect(actual).to.deep.equal([regime]);
    });
  }

  it("pulls a whole response back beyond its budget, whatever the sign of the advantage wants", () => {
    const options = { budgetPos: 0.2, logClip: 0.1 };
    const inside = run(options, response([0.15, 0.15, 0.15])).gradLogp[0]!;
    const beyond = run(options, response([0.25, 0.25, 0.25])).gradLogp[0]!;
    expect(inside.every((g) => g < 0)).to.equal(true);
    expect(beyond.every((g) => g > 0)).to.equal(true);
  });

  it("keeps only the fibre of a response whose channels are both zeroed", () => {
    const { loss, gradLogp } = run({ budgetPos: 0.1, budgetNeg: 0.1, logClip: 0.05 }, response([2, -1]));
    // Residuals of both signs are clipped too: |2 - 1| and 0.5 in the rise, |1 - 0.5| and 1 in the fall.
    expect(loss).to.be.closeTo(-(Math.exp(0.1) + Math.exp(-0.1)) / 2, 1e-12);
    expect(gradLogp[0]).to.deep.equal([0, 0]);
  });

  it("leaves a response without tokens out of every mean", () => {
    const full = { logp: [[-1, -2]], oldLogp: [[-1.2, -1.7]], advantages: [1], group: [3], domain: [1] };
    const more = { logp: [[-1, -2], []], oldLogp: [[-1.2, -1.7], []], advantages: [1, 5], group: [3, 3], domain: [1, 1] };
    for (const variant of ["fiberpo", "apc", "domain"]) expect(run({ variant }, more).loss).to.equal(run({ variant }, full).loss);
  });
});

describe("FiberPO-Domain's means", () => {
  const d = (values: number[]) => ({ logp: values.map((x) => [x - 3]), oldLogp: values.map(() => [-3]), advantages: values.map(() => 1) });
  const onlyDomain = { variant: "domain", logClipGroup: 1e-9, logClipTrajectory: 1e-9, logClip: 1e-9, logClipDomain: 9 };

  it("count every group once, however many responses it has", () => {
    const { loss } = run(onlyDomain, { ...d([0.1, 0.2, 0.3, 0.6]), group: [7, 7, 7, 9], domain: [0, 0, 0, 0] });
    expect(loss).to.be.closeTo(-Math.exp((0.2 + 0.6) / 2), 1e-7);
  });

  it("stay inside a domain", () => {
    const { loss } = run(onlyDomain, { ...d([0.2, 0.6]), group: [0, 1], domain: [4, 5] });
    expect(loss).to.be.closeTo(-(Math.exp(0.2) + Math.exp(0.6)) / 2, 1e-7);
  });

  it("take the batch as one domain where the data set names none", () => {
    const inputs = { ...d([0.2, 0.6]), group: [0, 1] };
    expect(run(onlyDomain, inputs).loss).to.be.closeTo(-Math.exp(0.4), 1e-7);
  });
});
