import { readFileSync } from "node:fs";
import { compare, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import plugin, { CispoGate } from "../src/index.js";

const peers = new URL("../../vectors/peers.json", import.meta.url);

testVectors(new URL("../../vectors/cispo.json", import.meta.url), conformance);
testVectors(peers, conformance);

testTerms("CispoGate", { component: CispoGate, options: { ratioHigh: 1.2, ratioLow: 0.9 } });

describe("CISPO's gate", () => {
  const cases: [promise: string, ratio: number, advantage: number, options: Options, gradient: number][] = [
    ["keeps the gradient of a token far above the ceiling, at the ceiling", 3, 1, { ratioHigh: 1.5 }, -1.5],
    ["weights a token below the ceiling by its ratio", 3, 1, {}, -3],
    ["clips for negative advantages too", 9, -2, {}, 10],
    ["has no floor by default", 0.01, 1, {}, -0.01],
    ["holds the floor", 0.01, -1, { ratioLow: 0.8 }, 0.8],
    ["gives nothing where A = 0", 2, 0, {}, 0],
  ];
  for (const [promise, ratio, advantage, options, gradient] of cases) {
    it(promise, () => {
      const inputs = { logp: [[Math.log(ratio) - 2], []], oldLogp: [[-2], []], advantages: [advantage, 1] };
      const { loss, gradLogp } = runTerms({ component: CispoGate, options }, inputs);
      expect(compare([[gradient], []], gradLogp, 1e-12)).to.equal(null);
      expect(loss).to.be.closeTo(gradient * (Math.log(ratio) - 2), 1e-12);
    });
  }

  it("reports how much of the batch the bounds touch, whatever the sign of the advantage", () => {
    const inputs = { logp: [[Math.log(3) - 1, -1, Math.log(0.5) - 1, -1]], oldLogp: [[-1, -1, -1, -1]], advantages: [-1] };
    const { observed } = runTerms({ component: CispoGate, options: { ratioHigh: 2, ratioLow: 0.9 } }, inputs);
    expect(observed["cispo.clipFractionHigh"]![0]).to.equal(0.25);
    expect(observed["cispo.clipFractionLow"]![0]).to.equal(0.25);
    expect(observed["cispo.weight"]![0]).to.be.closeTo((2 + 1 + 0.9 + 1) / 4, 1e-12);
  });
});

describe("CISPO's presets, exactly: -clip(r, low, high)·A for one token", () => {
  const table: [preset: string, ratio: number, weight: number][] = [
    ["cispo", 9, 5],
    ["cispo", 0.5, 0.5],
    ["cispo@minimax", 9, 5],
    ["cispo@minimax", 0.01, 0.01],
    ["cispo@trl", 9, 5],
    ["cispo@verl", 9, 1.2],
    ["cispo@verl", 0.5, 0.8],
    ["cispo@scalerl", 9, 5],
  ];
  for (const [preset, ratio, weight] of table) {
    it(`${preset} weights the ratio ${ratio} by ${weight}`, () => {
      const { use: _, ...options } = plugin.algorithms![preset]!.compose.gate!;
      const inputs = { logp: [[Math.log(ratio) - 3]], oldLogp: [[-3]], advantages: [2] };
      expect(runTerms({ component: CispoGate, options }, inputs).gradLogp[0]![0]).to.be.closeTo(-2 * weight, 1e-12);
    });
  }

  it("has vectors for every preset", () => {
    const { cases } = JSON.parse(readFileSync(peers, "utf8")) as { cases: { options: { preset: string } }[] };
    expect([...new Set(cases.map(({ options }) => options.preset))].sort()).to.deep.equal(Object.keys(plugin.algorithms!).sort());
  });
});
