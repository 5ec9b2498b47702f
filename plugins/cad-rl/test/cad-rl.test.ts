import { instantiate, runAdvantage, runReward, runTerms, textPattern } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { CadGate, CadReward, cadReward, FilteredAdvantage, PRECISION_PATTERN, precisionWeights } from "../src/index.js";

testVectors(new URL("../../vectors/cad-rl.json", import.meta.url), conformance);

testTerms("CadGate", { component: CadGate });
testTerms("CadGate with overlong responses", { component: CadGate, options: { filterOverlong: false, ratioLow: 0.9, ratioHigh: 1.1 } });

describe("CadGate", () => {
  const inputs = { logp: [[-1], [-1, -2], []], oldLogp: [[-1], [-1, -2], []], advantages: [2, 1, 5], truncated: [1, 1, 0] };

  it("gives nothing where every response was cut, or is empty", () => {
    const { loss, gradLogp } = runTerms({ component: CadGate }, inputs);
    expect(loss).to.equal(0);
    expect(gradLogp.flat().every((g) => g === 0)).to.equal(true);
  });

  it("takes them in when it shall not filter", () => {
    expect(runTerms({ component: CadGate, options: { filterOverlong: false } }, inputs).loss).to.be.closeTo(-1.5, 1e-12);
  });

  it("gives a response the same total whatever its weights are", () => {
    const one = runTerms({ component: CadGate }, { ...inputs, truncated: [0, 0, 0], tokenWeights: [[1], [1, 7], []] });
    expect(one.loss).to.be.closeTo(-1.5, 1e-12);
    expect(one.gradLogp[1]![1]! / one.gradLogp[1]![0]!).to.be.closeTo(7, 1e-12);
  });
});

describe("precision tokens", () => {
  const pattern = textPattern(PRECISION_PATTERN, "precisionTokens", "gu");
  const table: [promise: string, pieces: string[], heavy: number[]][] = [
    ["are all tokens of a number", ["r", "=", "12", ".", "75", ";"], [0, 0, 1, 1, 1, 0]],
    ["take the sign and the exponent", ["(", "-", "1", "e", "-3", ")"], [0, 1, 1, 1, 1, 0]],
    ["are operations as words", ["w.", "box", "(", "boxes", ")"], [0, 1, 0, 0, 0]],
    ["are not digits inside a name", ["part", "2", " ", "offset", "2D"], [0, 0, 0, 1, 1]],
  ];
  for (const [promise, pieces, heavy] of table) {
    it(promise, () => {
      const offsets = [...pieces, ""].map((_, i) => pieces.slice(0, i).join("").length);
      expect([...precisionWeights(pieces.join(""), offsets, pattern, 2)]).to.deep.equal(heavy.map((h) => 1 + h));
    });
  }
});

describe("the reward", () => {
  const o = { geomWeight: 1, evalWeight: 1, evalMin: 0, evalMax: 10, failurePenalty: 0.5 };
  const table: [promise: string, facts: [executes: number, iou: number, evalScore: number, failures: number], reward: number][] = [
    ["is nothing for a program that does not run", [0, 1, 10, 0], 0],
    ["bounds the score on its scale", [1, 0, 15, 0], 1],
    ["never falls below 0 by failures", [1, 0, 4, 2], 0],
    ["deducts after the scale was bounded", [1, 0, 15, 1], 0.5],
  ];
  for (const [promise, [executes, iou, evalScore, failures], reward] of table)
    it(promise, () => expect(cadReward({ executes, iou, evalScore, failures }, o)).to.equal(reward));

  it("takes its facts from inner rewards by name, and says which is missing", async () => {
    const run = (components: Record<string, number[]>) =>
      runReward(CadReward, {}, { completions: ["a"] }, { inner: { rewards: [0], components } });
    expect((await run({ executes: [1], iou: [0.5] })).rewards).to.deep.equal([0.5]);
    let message = "";
    await run({ executes: [1] }).catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.match(/iou/);
  });

  it("refuses an empty scale", () => expect(() => instantiate(CadReward, { evalMin: 5, evalMax: 5 })).to.throw(/evalMax/));
});

describe("FilteredAdvantage", () => {
  it("leaves cut responses out of the group's statistics", async () => {
    const inputs = { rewards: [1, 0, 100, 3], truncated: [0, 0, 1, 1], group: [0, 0, 0, 1] };
    const { advantages } = await runAdvantage(FilteredAdvantage, {}, inputs);
    expect((advantages as number[]).map((a) => a.toFixed(5))).to.deep.equal(["0.70711", "-0.70711", "0.00000", "0.00000"]);
  });
});
