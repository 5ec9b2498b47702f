import { runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { fitBeta, inverseDensity } from "../src/beta.js";
import conformance from "../src/conformance.js";
import { BnpoAdvantage } from "../src/index.js";

testVectors(new URL("../../vectors/bnpo.json", import.meta.url), conformance);

describe("BNPO", () => {
  const fits: [title: string, rates: number[], alpha: number, beta: number][] = [
    ["one group: plain centring", [0.4], 1, 1],
    ["equal rates: plain centring", [0.5, 0.5, 0.5], 1, 1],
    ["polarised rates clamp to 1", [0, 1, 0, 1], 1, 1],
  ];
  for (const [title, rates, alpha, beta] of fits) it(title, () => expect(fitBeta(rates, 3)).to.deep.equal({ alpha, beta }));

  it("weighs like GRPO, up to a constant, at alpha = beta = 3/2", () => {
    const shape = { alpha: 1.5, beta: 1.5 };
    const scaled = [0.1, 0.3, 0.5].map((p) => inverseDensity(p, shape, 1e6) * Math.sqrt(p * (1 - p)));
    for (const value of scaled) expect(value).to.be.closeTo(scaled[0]!, 1e-12);
  });

  it("gives a degenerate group exactly 0, whatever its weight", async () => {
    const inputs = { rewards: [1, 1, 0, 1, 0, 1, 0, 0], group: [0, 0, 1, 1, 2, 2, 3, 3] };
    const { advantages } = await runAdvantage(BnpoAdvantage, {}, inputs);
    expect((advantages as number[]).slice(0, 2)).to.deep.equal([0, 0]);
    expect((advantages as number[]).slice(6)).to.deep.equal([0, 0]);
  });

  it("refuses a reward outside the stated range", async () => {
    const failure = await runAdvantage(BnpoAdvantage, {}, { rewards: [2, 0], group: [0, 0] }).catch((error: Error) => error);
    expect((failure as Error).message).to.match(/outside \[rewardMin, rewardMax\]/);
  });
});
