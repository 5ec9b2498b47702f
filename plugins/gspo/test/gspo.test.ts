import { compare, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { GspoGate } from "../src/index.js";

testVectors(new URL("../../vectors/gspo.json", import.meta.url), conformance);

testTerms("GspoGate", { component: GspoGate, options: { clipLow: 0.2, clipHigh: 0.2 } });
testTerms("GspoGate, token variant", { component: GspoGate, options: { variant: "token", clipLow: 0.2, clipHigh: 0.2 } });

const gate = (options: Options) => ({ component: GspoGate, options: { clipLow: 0.2, clipHigh: 0.2, ...options } });
const rows = (...ratios: number[][]) => ({
  logp: ratios.map((row) => row.map((r) => Math.log(r) - 1)),
  oldLogp: ratios.map((row) => row.map(() => -1)),
});

describe("GSPO's gate", () => {
  it("does not care which token of a response has which ratio", () => {
    const [a, b] = [
      [1.3, 0.9, 1.05],
      [0.9, 1.05, 1.3],
    ].map((row) => runTerms(gate({}), { ...rows(row), advantages: [0.7] }));
    expect(a!.loss).to.be.closeTo(b!.loss, 1e-12);
  });

  const cases: [promise: string, ratios: number[], advantage: number, gradient: number][] = [
    ["shares -A·s/T among the tokens of a response", [1.21, 1], 3, (-3 * 1.1) / 2],
    ["cuts a response off as a whole above the clip", [1.5, 1.5], 1, 0],
    ["pushes one above the clip down when A < 0", [1.5, 1.5], -1, 1.5 / 2],
    ["cuts a response off below the clip when A < 0", [0.5, 0.5], -1, 0],
    ["gives nothing where A = 0", [1.1, 1.1], 0, 0],
  ];
  for (const [promise, ratios, advantage, gradient] of cases) {
    for (const variant of ["sequence", "token"]) {
      it(`${promise} (${variant})`, () => {
        const { gradLogp } = runTerms(gate({ variant }), { ...rows(ratios, []), advantages: [advantage, 5] });
        expect(compare([[gradient, gradient], []], gradLogp, 1e-12)).to.equal(null);
      });
    }
  }

  it("gives each token its own advantage in the token variant", () => {
    const { gradLogp } = runTerms(gate({ variant: "token" }), { ...rows([1.1, 1.1]), advantages: [[1, -2]] });
    expect(compare([[-1.1 / 2, (2 * 1.1) / 2]], gradLogp, 1e-12)).to.equal(null);
  });

  it("counts clipped responses, not tokens", () => {
    const { observed } = runTerms(gate({}), { ...rows([1.5, 1.5, 1.5], [1], [0.5]), advantages: [1, 1, 1] });
    expect(observed["gspo.clipFractionHigh"]![0]).to.be.closeTo(1 / 3, 1e-12);
    expect(observed["gspo.clipFractionLow"]![0]).to.equal(0);
  });

  it("stops at maxLogRatio", () => {
    const far = { logp: [[0, 0]], oldLogp: [[-30, -30]], advantages: [-1] };
    const { loss, gradLogp } = runTerms(gate({}), far);
    expect(loss).to.be.closeTo(Math.exp(10), 1e-6);
    expect(gradLogp).to.deep.equal([[0, 0]]);
  });
});
