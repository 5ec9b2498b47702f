import { runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { StratifiedAdvantage } from "../src/index.js";

testVectors(new URL("../../vectors/stratified-grpo.json", import.meta.url), conformance);

const inputs = { rewards: [1, 0, 0.5, 1, 0, 0.25], group: [0, 0, 0, 0, 0, 0], stratum: [1, 1, 1, 3, 3, 7] };
const advantages = async (options: object, given: object = inputs) =>
  (await runAdvantage(StratifiedAdvantage, { ...options }, { ...given })).advantages as number[];

describe("stratified advantage normalisation", () => {
  it("has mean 0 and variance 1 inside every stratum that varies", async () => {
    const a = await advantages({ blend: 1, stdEps: 1e-12 });
    for (const rows of [
      [0, 1, 2],
      [3, 4],
    ]) {
      const mean = rows.reduce((sum, i) => sum + a[i]!, 0) / rows.length;
      const variance = rows.reduce((sum, i) => sum + (a[i]! - mean) ** 2, 0) / rows.length;
      expect(mean).to.be.closeTo(0, 1e-9);
      expect(variance).to.be.closeTo(1, 1e-9);
    }
    expect(a[5]).to.equal(0);
  });

  it("is GRPO's at blend 0: the strata do not matter", async () => {
    expect(await advantages({ blend: 0 })).to.deep.equal(await advantages({ blend: 0 }, { ...inputs, stratum: [0, 0, 0, 0, 0, 0] }));
  });

  it("merges keys above maxStratum", async () => {
    expect(await advantages({ maxStratum: 3 })).to.deep.equal(await advantages({}, { ...inputs, stratum: [1, 1, 1, 3, 3, 3] }));
  });
});
