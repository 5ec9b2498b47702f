import { compare, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { MhpoGate } from "../src/index.js";

testVectors(new URL("../../vectors/mhpo.json", import.meta.url), conformance);

testTerms("MhpoGate", { component: MhpoGate });

const token = (difference: number, advantage = -1, options: Options = {}) => {
  const { loss, gradLogp } = runTerms(
    { component: MhpoGate, options },
    { logp: [[difference - 1]], oldLogp: [[-1]], advantages: [advantage] },
  );
  return { loss, gradient: gradLogp[0]![0]! };
};

describe("MHPO's gate", () => {
  it("has the multiplier exp(-1.328) = 0.265 on-policy", () => {
    const hazard = Math.log(2) ** 1.5 + (Math.log(2) / 0.8) ** 2;
    expect(token(0).gradient).to.be.closeTo(Math.exp(-hazard), 1e-12);
    expect(token(0).gradient).to.be.closeTo(0.265, 5e-4);
  });

  it("has the gradient -A·exp(ψ - ζ)·(1 - tanh²(d/c)), the hazard held fixed", () => {
    const softplus = (x: number) => Math.log1p(Math.exp(x));
    for (const d of [-3, -0.4, 0, 0.2, 1, 4]) {
      const psi = 1.5 * Math.tanh(d / 1.5);
      const zeta = softplus(psi) ** 1.5 + (softplus(-psi) / 0.8) ** 2;
      expect(token(d, 2).gradient).to.be.closeTo(-2 * Math.exp(psi - zeta) * (1 - Math.tanh(d / 1.5) ** 2), 1e-12);
    }
  });

  it("never multiplies by more than e^c, and lets tokens far away go on both sides", () => {
    for (const d of [-50, -10, -3, -1, 0.5, 1, 3, 10, 50]) expect(Math.abs(token(d).gradient)).to.be.below(Math.exp(1.5));
    for (const d of [-50, -10, 10, 50]) expect(Math.abs(token(d).gradient)).to.be.below(1e-4);
    expect(token(50).loss).to.equal(token(21).loss);
  });

  it("damps ratios below 1 more than those above", () => {
    expect(token(-0.5).gradient).to.be.below(token(0.5).gradient);
  });

  it("gives nothing where A = 0", () => {
    expect(compare({ loss: 0, gradient: 0 }, token(0.3, 0), 0)).to.equal(null);
  });

  it("has a metric for the slope of the gate", () => {
    const { observed } = runTerms({ component: MhpoGate }, { logp: [[-1]], oldLogp: [[-1]], advantages: [3] });
    expect(observed["mhpo.gateSlope"]![0]).to.be.closeTo(token(0).gradient, 1e-12);
  });
});
