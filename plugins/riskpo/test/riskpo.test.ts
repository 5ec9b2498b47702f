import { Random, runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { RiskAdvantage } from "../src/index.js";
import { LEVELS, quantile, trackedQuantile, updateQuantiles } from "../src/quantiles.js";

testVectors(new URL("../../vectors/riskpo.json", import.meta.url), conformance);

describe("RiskPO", () => {
  it("tracks the quantiles of i.i.d. scores to within its step", () => {
    const random = new Random(3);
    const draw = () => Array.from({ length: 40 }, () => random.uniform());
    let quantiles = updateQuantiles(null, draw(), 0.1);
    for (let step = 0; step < 300; step++) quantiles = updateQuantiles(quantiles, draw(), 0.1);
    for (const [i, level] of LEVELS.entries()) expect(quantiles[i]).to.be.closeTo(level, 0.1);
  });

  const nearest: [level: number, index: number][] = [
    [0.2, 3],
    [0.8, 15],
    [0.225, 3],
    [0.99, 18],
  ];
  for (const [level, index] of nearest) {
    it(`reads level ${level} from the nearest tracked one, the lower of two`, () =>
      expect(trackedQuantile(LEVELS, level)).to.equal(LEVELS[index]));
  }

  it("interpolates quantiles linearly", () => expect(quantile([3, 1, 2, 4], 0.5)).to.equal(2.5));

  it("leaves responses beyond the shortest question unused", async () => {
    const inputs = { rewards: [1, 0, 1, 0, 1], group: [0, 0, 0, 1, 1], bundle: [0, 0, 0, 0, 0] };
    const { advantages } = await runAdvantage(RiskAdvantage, {}, inputs);
    expect((advantages as number[])[2]).to.equal(0);
  });
});
